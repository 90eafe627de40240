"""Generated pictures whose object is known to the pixel: the material for measuring localisation.

A picture shows a patterned object with a wobbly outline on a soft background, beside plain blobs that are no
object. The class is the pattern (striped, checked, …); colours, size, angle, outline and place are drawn.
Nothing but the object tells the class, so a good class activation map has to lie on the object.
"""

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np

PATTERNS = ("striped", "checked", "dotted", "ringed", "zigzag", "meshed")
RADIUS = (0.1, 0.2)  # of the side: objects about 45 to 75 pixels wide at 224, two cells of a stride-32 map


@dataclass(frozen=True, eq=False)  # a set is the same as itself alone, so that what is computed of it can be kept by it
class Pictures:
    """A set of generated pictures.

    Attributes:
        images: (N, size, size, 3) uint8, RGB.
        labels: (N,) int64, places in `PATTERNS`.
        masks: (N, size, size) bool, True on the object.
    """

    images: np.ndarray
    labels: np.ndarray
    masks: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def sha256(self) -> str:
        """One hash over everything in the set."""
        return hashlib.sha256(self.images.tobytes() + self.labels.tobytes() + self.masks.tobytes()).hexdigest()


def make_pictures(count: int, seed: int, size: int = 224, radius: tuple[float, float] = RADIUS) -> Pictures:
    """Draws `count` pictures with one object each; the classes take turns, so they are equally frequent.

    Args:
        seed: of everything drawn.
        size: side of the pictures in pixels.
        radius: bounds of the objects' half axes, as a share of the side.
    """
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(PATTERNS)
    images = np.empty((count, size, size, 3), np.uint8)
    masks = np.empty((count, size, size), bool)
    for i, label in enumerate(labels):
        images[i], masks[i] = draw_picture(rng, int(label), size, radius)
    return Pictures(images, labels, masks)


def draw_picture(
    rng: np.random.Generator, label: int, size: int = 224, radius: tuple[float, float] = RADIUS
) -> tuple[np.ndarray, np.ndarray]:
    """Draws one picture: ((size, size, 3) uint8 image, (size, size) bool mask of the object)."""
    picture = _background(rng, size)
    for _ in range(4):
        blob, *_ = _blob(rng, size, radius=(0.04, 0.1))
        picture[blob] = rng.uniform(0, 255, 3)
    mask, (x, y) = _blob(rng, size, radius)
    pattern = _pattern(PATTERNS[label], x, y, rng, size)
    dark, light = _contrasting_colours(rng)
    picture[mask] = np.where(pattern[..., None], dark, light)[mask]
    picture += rng.normal(0, 6, picture.shape)
    return np.clip(np.round(picture), 0, 255).astype(np.uint8), mask


def _background(rng: np.random.Generator, size: int) -> np.ndarray:
    """Soft coloured clouds with finer grain over them, (size, size, 3) float32 in about 0..255."""
    clouds = rng.uniform(60, 195, 3) + rng.normal(0, 35, (5, 5, 3))
    grain = rng.normal(0, 12, (28, 28, 3))
    layers = (cv2.resize(np.float32(layer), (size, size), interpolation=cv2.INTER_CUBIC) for layer in (clouds, grain))
    return sum(layers)


def _blob(rng: np.random.Generator, size: int, radius: tuple[float, float]) -> tuple[np.ndarray, tuple]:
    """A wobbly ellipse inside the picture: its (size, size) mask and the turned coordinates (x, y) about its
    centre, in pixels. `radius` bounds its half axes as a share of the picture's side."""
    axes = rng.uniform(*radius, 2) * size
    margin = min(1.15 * axes.max(), (size - 1) / 2)
    centre = rng.uniform(margin, size - 1 - margin, 2)
    angle = rng.uniform(0, np.pi)
    down, right = np.mgrid[:size, :size].astype(np.float32)
    right, down = right - centre[0], down - centre[1]
    x = np.cos(angle) * right + np.sin(angle) * down
    y = np.cos(angle) * down - np.sin(angle) * right
    direction = np.arctan2(y / axes[1], x / axes[0])
    edge = 1 + 0.12 * np.sin(rng.integers(2, 6) * direction + rng.uniform(0, 2 * np.pi))
    return np.hypot(x / axes[0], y / axes[1]) < edge, (x, y)


def _pattern(name: str, x: np.ndarray, y: np.ndarray, rng: np.random.Generator, size: int) -> np.ndarray:
    """Where the pattern is dark: (size, size) bool, from coordinates about the object's centre."""
    period = max(4.0, rng.uniform(0.06, 0.1) * size)
    u, v = x / period + rng.uniform(), y / period + rng.uniform()
    in_u, in_v = u % 1, v % 1
    if name == "striped":
        return in_u < 0.5
    if name == "checked":
        return (in_u < 0.5) ^ (in_v < 0.5)
    if name == "dotted":
        return np.hypot(in_u - 0.5, in_v - 0.5) < 0.32
    if name == "ringed":
        return np.hypot(x, y) / period % 1 < 0.5
    if name == "zigzag":
        return (u + np.abs(2 * (v / 2 % 1) - 1)) % 1 < 0.5
    return (in_u < 0.22) | (in_v < 0.22)  # meshed


def _contrasting_colours(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two colours, either of them the darker, at least 90 of 255 apart in brightness."""
    while True:
        pair = rng.uniform(0, 255, (2, 3))
        if abs(np.diff(pair.mean(axis=1))[0]) >= 90:
            return pair[0], pair[1]
