"""Knowing which part of a photograph a network saw, and where each pixel it saw came from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from core.errors import CourseError
from core.photographs import normalise

VIEW = 224  # pixels: the side of the square a ResNet looks at
SHARE = 224 / 256  # of the photograph's shorter side, as in torchvision's preset (resize to 256, crop to 224)


def check_shows_something(photograph: np.ndarray, path: str | Path) -> None:
    """Refuses an (H, W, 3) photograph that no map can say anything about.

    Raises:
        CourseError: it is a single pixel wide or high, or one colour throughout.
    """
    height, width = photograph.shape[:2]
    if min(height, width) < 2:
        raise CourseError(f"{path} is only {width} × {height} pixels; give a photograph that shows something.")
    if (photograph == photograph[0, 0]).all():
        raise CourseError(f"{path} is one colour throughout, so there is nothing to find; give another photograph.")


@dataclass(frozen=True)
class View:
    """The square of a photograph that a network saw: its corner and side in the photograph, and its own side.

    Pixel q of the network's input covers the photograph's pixels from left + q * side/size on.
    """

    left: float
    top: float
    side: float
    size: int = VIEW

    def columns(self, width: int) -> np.ndarray:
        """Where the middles of the photograph's `width` columns lie in the network's input, in its pixels."""
        return (np.arange(width) + 0.5 - self.left) * self.size / self.side - 0.5

    def rows(self, height: int) -> np.ndarray:
        """Where the middles of the photograph's `height` rows lie in the network's input, in its pixels."""
        return (np.arange(height) + 0.5 - self.top) * self.size / self.side - 0.5


def centre_view(photograph: np.ndarray, size: int = VIEW) -> View:
    """The middle square of an (H, W, 3) photograph, its side `SHARE` of the shorter side, seen at `size` pixels."""
    height, width = photograph.shape[:2]
    side = SHARE * min(height, width)
    return View(left=(width - side) / 2, top=(height - side) / 2, side=side, size=size)


def whole(photograph: np.ndarray, longer: int) -> torch.Tensor:
    """All of an (H, W, 3) uint8 photograph as (1, 3, h, w) float32, normalised.

    Args:
        longer: pixels of the longer side, 32 k + 1. The shorter one becomes the nearest such number, which stretches
            the photograph by up to 7 % (of VOC's formats), so that cells at 32 j lie on all four edges.
    """
    height, width = seen_size(photograph.shape[:2], longer)
    seen = Image.fromarray(photograph).resize((width, height), Image.Resampling.BILINEAR)
    return normalise(np.asarray(seen)[None])


def seen_size(shape: tuple[int, int], longer: int) -> tuple[int, int]:
    """Height and width of `whole` for a photograph of (H, W) pixels."""
    height, width = (32 * max(1, round((side * longer / max(shape) - 1) / 32)) + 1 for side in shape)
    return height, width


def look(photograph: np.ndarray, view: View) -> torch.Tensor:
    """The network's input: the view of an (H, W, 3) uint8 photograph as (1, 3, size, size) float32, normalised."""
    return normalise(cut(photograph, view)[None])


def cut(photograph: np.ndarray, view: View) -> np.ndarray:
    """The view of an (H, W, 3) uint8 photograph as (size, size, 3) uint8.

    The resampling is Pillow's bilinear one with antialiasing, straight from the photograph's pixels, so that
    neither a long thin photograph nor an intermediate rounding costs anything.
    """
    box = (view.left, view.top, view.left + view.side, view.top + view.side)
    seen = Image.fromarray(photograph).resize((view.size, view.size), Image.Resampling.BILINEAR, box=box)
    return np.asarray(seen)
