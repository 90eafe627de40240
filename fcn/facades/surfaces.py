"""Surfaces and light of drawn facades: colours, masonry, skies, shadows, the camera.

Everything takes a numpy Generator, so that one seed gives one drawing. Colours are float32 RGB in 0..255.
"""

import cv2
import numpy as np
from numpy.random import Generator


def colour(
    rng: Generator, saturation: tuple[float, float], value: tuple[float, float], hue: tuple[float, float] = (0.0, 360.0)
) -> np.ndarray:
    """An RGB colour with hue (degrees), saturation and value (0..1) drawn uniformly from the given ranges."""
    hsv = np.float32([[[rng.uniform(*hue) % 360, rng.uniform(*saturation), rng.uniform(*value)]]])
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0] * 255


def wall_colour(rng: Generator) -> np.ndarray:
    """Mostly warm plaster or brick, often the grey-blue of skies and panes, at times any pale hue or dark."""
    kind = rng.choice(5, p=[0.42, 0.24, 0.14, 0.12, 0.08])
    return (
        colour(rng, (0.10, 0.55), (0.50, 0.95), (8, 52))
        if kind == 0
        else colour(rng, (0.03, 0.30), (0.40, 0.92), (190, 240))
        if kind == 1
        else colour(rng, (0.05, 0.35), (0.55, 0.95))
        if kind == 2
        else colour(rng, (0.35, 0.65), (0.35, 0.70), (0, 22))
        if kind == 3
        else colour(rng, (0.0, 0.25), (0.25, 0.45))
    )


def noise(rng: Generator, shape: tuple[int, int], cell: tuple[int, int]) -> np.ndarray:
    """Smooth Gaussian noise, float32 `shape`: deviation 1 at nodes `cell` = (rows, columns) pixels apart."""
    nodes = [side // step + 2 for side, step in zip(shape, cell)]
    values = rng.standard_normal(nodes, dtype=np.float32)
    return cv2.resize(values, shape[::-1], interpolation=cv2.INTER_CUBIC)


def grain(rng: Generator, shape: tuple[int, int]) -> np.ndarray:
    """A factor around 1 for every pixel: grit, weathering in patches, and streaks where rain runs down."""
    strength = rng.uniform(0.4, 1.3)
    return 1 + strength * (
        0.025 * noise(rng, shape, (2, 2)) + 0.045 * noise(rng, shape, (28, 28)) + 0.025 * noise(rng, shape, (60, 5))
    )


def masonry(rng: Generator, shape: tuple[int, int], kind: str) -> np.ndarray:
    """A factor around 1 for every pixel, float32 `shape`: "plaster", "brick", "ashlar", "panels" or "planks"."""
    if kind == "plaster":
        return np.ones(shape, np.float32)
    course, block, spread = {
        "brick": (rng.integers(4, 7), rng.integers(9, 15), 0.11),
        "ashlar": (rng.integers(12, 24), rng.integers(24, 46), 0.06),
        "panels": (rng.integers(40, 80), rng.integers(40, 90), 0.05),
        "planks": (rng.integers(6, 12), 10_000, 0.06),
    }[kind]
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    row = rows // course
    shifted = columns + (row % 2) * (block // 2 if kind in ("brick", "ashlar") else 0)
    tones = 1 + spread * rng.standard_normal((shape[0] // course + 1, (shape[1] + block) // block + 1))
    factor = tones[row, shifted // block].astype(np.float32)
    joint = rng.uniform(0.60, 0.90) if rng.random() < 0.65 else rng.uniform(1.08, 1.25)
    factor[np.broadcast_to(rows % course == 0, shape) | (shifted % block == 0)] *= joint
    return factor


def sky(rng: Generator, shape: tuple[int, int]) -> np.ndarray:
    """A sky (H, W, 3): blue, overcast or evening, paler towards the horizon, perhaps with clouds."""
    kind = rng.choice(3, p=[0.45, 0.4, 0.15])
    top = (
        colour(rng, (0.2, 0.6), (0.6, 0.95), (195, 225))
        if kind == 0
        else colour(rng, (0.0, 0.08), (0.65, 1.0))
        if kind == 1
        else colour(rng, (0.15, 0.45), (0.55, 0.95), (-20, 50))
    )
    towards_white = np.linspace(0, rng.uniform(0.1, 0.7), shape[0], dtype=np.float32)[:, None]
    if rng.random() < 0.6:
        towards_white = np.clip(towards_white + 0.25 * noise(rng, shape, (30, 60)), 0, 1)
    towards_white = np.broadcast_to(towards_white, shape)[..., None]
    return top * (1 - towards_white) + 245 * towards_white


def light(rng: Generator, photo: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """The photograph in a gradient of light, at times a shadow on what is `solid` (H, W) bool."""
    height, width = photo.shape[:2]
    across, down = rng.uniform(-0.22, 0.22, 2)
    factor = (
        1
        + across * np.linspace(-1, 1, width, dtype=np.float32)
        + down * np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    )
    if rng.random() < 0.45:
        shadow = np.zeros((height, width), np.float32)
        edge = width * rng.uniform(-0.1, 1.1) + np.array([0, rng.uniform(-0.8, 0.8) * width])
        side = rng.choice([-width, 2 * width])
        if rng.random() < 0.4:  # from below, up to a roof line
            line = height * rng.uniform(0.25, 0.9, 2)
            corners = [(0, line[0]), (width, line[1]), (width, height), (0, height)]
        else:
            corners = [(edge[0], 0), (edge[1], height), (side, height), (side, 0)]
        cv2.fillConvexPoly(shadow, np.int32(corners), 1.0)
        shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(1, 4))
        factor = factor * (1 - rng.uniform(0.25, 0.5) * shadow * solid)
    return photo * factor[..., None]


def expose(rng: Generator, photo: np.ndarray) -> np.ndarray:
    """The camera: colour temperature, contrast, exposure, defocus and sensor noise; float in, uint8 out."""
    warmth, tint = rng.uniform(-0.10, 0.10), rng.uniform(-0.03, 0.03)
    photo = photo * np.float32([1 + warmth, 1 + tint, 1 - warmth])
    photo = (photo - 120) * rng.uniform(0.7, 1.15) + 120 + rng.uniform(-20, 24)
    photo = cv2.GaussianBlur(photo, (0, 0), rng.uniform(0.35, 1.1))
    photo = photo + rng.uniform(1, 7) * rng.standard_normal((*photo.shape[:2], 1), dtype=np.float32)
    return np.clip(photo, 0, 255).astype(np.uint8)
