"""Windows cut at random from labelled photographs: the augmentation of the recipes "windows" and "balanced"."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from core.photographs import normalise
from fcn.dataset import VOID, LabelledPhotographs

SCALES = (0.6, 1.5)  # of a window's content; even chances for halves and doubles, as the factor's logarithm is drawn
DRAWS = 6  # numbers that say where a window lies and how light it is
LIGHT = 0.25  # by how much brightness and contrast of a window may differ from the photograph's, as a share
MEAN_GREY = (124, 116, 104)


class Windows(Dataset[tuple[Tensor, Tensor]]):
    """Square windows of labelled photographs: at a random place and scale, mirrored at random, lighter or darker.

    What lies beyond the photograph is mean grey (0 after normalisation) and void.

    Args:
        dataset: the photographs; a window of index (i, DRAWS numbers in 0..1) is cut from photograph i.
        side: of a window, pixels.

    Items are (image, label), float32 (3, side, side) normalised and int64 (side, side).
    """

    def __init__(self, dataset: LabelledPhotographs, side: int) -> None:
        self.dataset, self.side = dataset, side

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, drawn: tuple[int, Sequence[float]]) -> tuple[Tensor, Tensor]:
        index, (down, across, size, mirror, brightness, contrast) = drawn
        pixels, label = self.dataset.pixels(index)
        scale = SCALES[0] * (SCALES[1] / SCALES[0]) ** size
        matrix = placement(label.shape, self.side, scale, down, across, mirrored=mirror < 0.5)

        def warp(array: np.ndarray, flags: int, border: int | tuple[int, ...]) -> np.ndarray:
            return cv2.warpAffine(array, matrix, (self.side, self.side), flags=flags, borderValue=border)

        image = warp(pixels, cv2.INTER_LINEAR, MEAN_GREY)
        outside = warp(np.zeros_like(label), cv2.INTER_NEAREST, 1).astype(bool)
        gain, shift = 1 + LIGHT * (2 * contrast - 1), 255 * LIGHT * (brightness - 0.5)
        image = normalise(np.clip(gain * image + shift, 0, 255).astype(np.uint8))
        image[:, outside] = 0.0
        return image, torch.from_numpy(warp(label, cv2.INTER_NEAREST, VOID)).long()


def placement(
    shape: tuple[int, int], window: int, scale: float, down: float, across: float, mirrored: bool
) -> np.ndarray:
    """The affine map (2, 3) from a photograph's pixels to a window's.

    Args:
        shape: of the photograph, (height, width).
        window: its side, pixels.
        scale: factor on the photograph's sides.
        down, across: 0..1, where among all places the window lies.
    """
    # Along a side that doesn't fill the window, the place is drawn as well, with the missing part at both ends.
    top, left = (place * (side * scale - window) for place, side in zip((down, across), shape))
    # Pixel centres: pixel x of the photograph covers x - 1/2 to x + 1/2.
    half = (scale - 1) / 2
    matrix = np.array([[scale, 0, half - left], [0, scale, half - top]])
    if mirrored:
        matrix[0] = -matrix[0] + [0, 0, window - 1]
    return matrix
