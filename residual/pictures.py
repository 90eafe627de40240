"""Built-in 32 × 32 colour pictures of ten shapes, drawn from a seed: what the networks learn where no data is given.

A picture shows one shape, a little turned, anywhere, over soft waves, with two small blobs that are no shape, and
noise. Its hue tells something of the class, as in photographs, but neighbouring classes share their hues, so that a
network has to know the outline too.
"""

import colorsys
from collections.abc import Callable

import numpy as np

SIDE = 32  # pixels
TURN = 0.5  # radians each way
HUES = 2  # classes each way whose hues a shape may have
# Drawn twice as large, then averaged, so that outlines are soft: the fine pixels' places, from -1 to 1.
_Y, _X = np.meshgrid(*[np.linspace(-1, 1, 2 * SIDE, dtype=np.float32)] * 2, indexing="ij")

# Whether a point lies on the shape, from its place about the shape's centre in units of the shape's radius, before it
# is turned.
SHAPES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "disc": lambda u, v: np.hypot(u, v) < 0.9,
    "ring": lambda u, v: np.abs(np.hypot(u, v) - 0.75) < 0.25,
    "square": lambda u, v: np.maximum(np.abs(u), np.abs(v)) < 0.75,
    "frame": lambda u, v: np.abs(np.maximum(np.abs(u), np.abs(v)) - 0.65) < 0.2,
    "triangle": lambda u, v: (v > -0.5) & (np.sqrt(3) * np.abs(u) < 1 - v),
    "cross": lambda u, v: (np.minimum(np.abs(u), np.abs(v)) < 0.28) & (np.maximum(np.abs(u), np.abs(v)) < 0.95),
    "star": lambda u, v: np.hypot(u, v) < 0.65 + 0.35 * np.cos(5 * np.arctan2(v, u)),
    "bar": lambda u, v: (np.abs(u) < 0.3) & (np.abs(v) < 1),
    "crescent": lambda u, v: (np.hypot(u, v) < 1) & (np.hypot(u - 0.5, v) > 0.8),
    "pair": lambda u, v: np.hypot(np.abs(u) - 0.6, v) < 0.4,
}


def draw(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws pictures, equally many of each class, in a drawn order.

    Args:
        seed: of everything drawn.

    Returns:
        (count, 3, 32, 32) uint8 pictures in RGB, and (count,) int64 classes, places in SHAPES.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % len(SHAPES))
    shapes = list(SHAPES.values())
    pictures = np.stack([_picture(rng, label, shapes[label]) for label in labels])
    return pictures, labels


def _picture(rng: np.random.Generator, label: int, shape: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """One picture, (3, 32, 32) uint8."""
    right, down, phase = np.float32(rng.uniform(2, 6, 3))
    waves = np.sin(right * _X + down * _Y + phase)
    picture = np.float32(rng.uniform(30, 130, 3)) + waves[..., None] * np.float32(rng.normal(0, 20, 3))
    for _ in range(2):
        x, y, radius = np.float32(rng.uniform((-0.95, -0.95, 0.1), (0.95, 0.95, 0.2)))
        picture[(_X - x) ** 2 + (_Y - y) ** 2 < radius**2] = rng.uniform(0, 255, 3)
    radius, angle = rng.uniform(0.45, 0.8), rng.uniform(-TURN, TURN)
    x, y = rng.uniform(radius - 1, 1 - radius, 2)
    cosine, sine = np.float32((np.cos(angle) / radius, np.sin(angle) / radius))
    right, below = _X - np.float32(x), _Y - np.float32(y)
    on = shape(cosine * right + sine * below, cosine * below - sine * right)
    hue = (label + rng.uniform(-HUES, HUES)) / len(SHAPES) % 1
    picture[on] = 255 * np.array(colorsys.hsv_to_rgb(hue, rng.uniform(0.2, 0.9), rng.uniform(0.6, 1)))
    picture = picture[::2, ::2] + picture[::2, 1::2] + picture[1::2, ::2] + picture[1::2, 1::2]
    picture = picture / 4 + rng.normal(0, 10, picture.shape)
    return np.clip(np.round(picture), 0, 255).astype(np.uint8).transpose(2, 0, 1)
