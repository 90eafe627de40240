"""The batches of a training: whole photographs of like shapes, or windows cut at random."""

import math
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from core.photographs import normalise
from fcn.dataset import VOID, LabelledPhotographs, collate

SCALES = (0.6, 1.5)  # of a window's content; even chances for halves and doubles, as the factor's logarithm is drawn
DRAWS = 6  # numbers that say where a window lies and how light it is
LIGHT = 0.25  # by how much brightness and contrast of a window may differ from the photograph's, as a share


class Windows(Dataset[tuple[Tensor, Tensor]]):
    """Square windows of labelled photographs: at a random place and scale, mirrored at random, lighter or darker.

    What lies beyond the photograph is mean grey and void. What is drawn comes with the index, so that the windows are
    the same whichever process cuts them.

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
        matrix = self._placement(label.shape, scale, down, across, mirror < 0.5)
        image = cv2.warpAffine(
            pixels, matrix, (self.side, self.side), flags=cv2.INTER_LINEAR, borderValue=(124, 116, 104)
        )
        label = cv2.warpAffine(label, matrix, (self.side, self.side), flags=cv2.INTER_NEAREST, borderValue=VOID)
        gain, shift = 1 + LIGHT * (2 * contrast - 1), 255 * LIGHT * (brightness - 0.5)
        image = np.clip(gain * image + shift, 0, 255).astype(np.uint8)
        return normalise(image), torch.from_numpy(label).long()

    def _placement(
        self, shape: tuple[int, int], scale: float, down: float, across: float, mirrored: bool
    ) -> np.ndarray:
        """The affine map (2, 3) from a photograph's pixels to a window's.

        Args:
            shape: of the photograph, (height, width).
            scale: factor on its sides.
            down, across: 0..1, where among all places the window lies.
        """
        # Of a side that the window doesn't fill, the place is drawn as well, with what is missing on both ends.
        top, left = (place * (side * scale - self.side) for place, side in zip((down, across), shape))
        # Pixel centres: pixel x of the photograph covers x - 1/2 to x + 1/2.
        half = (scale - 1) / 2
        matrix = np.array([[scale, 0, half - left], [0, scale, half - top]])
        if mirrored:
            matrix[0] = -matrix[0] + [0, 0, self.side - 1]
        return matrix


class Batch(NamedTuple):
    """What a step sees.

    Attributes:
        image, label: (N, 3, H, W) normalised and (N, H, W) int64, on the device.
        counted: pixels that aren't void.
    """

    image: Tensor
    label: Tensor
    counted: int


class Reading:
    """Reads a data set's batches; its processes, and the images they keep, live as long as a training does.

    Args:
        dataset: the photographs.
        batch_size: images a step.
        window: side of the windows to cut; None: whole photographs.
        workers: processes that help with reading.
        device: where batches are to be.

    Attributes:
        batches: the photographs of each of the epoch's batches, by index.
        seconds: for which the trainer waited for batches, all in all.
    """

    def __init__(
        self,
        dataset: LabelledPhotographs,
        batch_size: int,
        window: int | None,
        workers: int,
        device: torch.device,
    ) -> None:
        self.dataset, self.batch_size, self.whole, self.device = dataset, batch_size, window is None, device
        self.batches: list[list[int]] = []
        self.drawn: list[list[float]] = []  # of each window, in the order of the batches
        self.seconds = 0.0
        self.loader = DataLoader(
            dataset if window is None else Windows(dataset, window),
            batch_sampler=self,
            collate_fn=collate if window is None else None,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=device.type == "cuda",
            generator=torch.Generator(),
        )

    def __len__(self) -> int:
        """Batches in an epoch."""
        return math.ceil(len(self.dataset) / self.batch_size)

    def __iter__(self) -> Iterator[Sequence[int | tuple[int, list[float]]]]:
        """What the loader reads of each batch."""
        drawn = iter(self.drawn)
        for batch in self.batches:
            yield batch if self.whole else [(index, next(drawn)) for index in batch]

    def epoch(self) -> Iterator[Batch]:
        """Each batch, in an order drawn anew."""
        sizes = [self.dataset.size(index) if self.whole else (1, 1) for index in range(len(self.dataset))]
        self.batches = draw_batches(sizes, self.batch_size)
        # A loader draws once when it begins and, if its processes live on, never again; here once an epoch, so that the
        # order of images is the same with them and without.
        self.loader.generator.manual_seed(int(torch.empty((), dtype=torch.int64).random_()))
        self.drawn = [] if self.whole else torch.rand(len(self.dataset), DRAWS).tolist()
        loaded = iter(self.loader)
        for _ in self.batches:
            started = time.perf_counter()
            image, label = next(loaded)
            # By NumPy, as the labels are not on the device yet and the number is wanted here.
            counted = max(1, int(np.count_nonzero(label.numpy() != VOID)))  # where all is void there is no mean
            image = image.to(self.device, memory_format=torch.channels_last, non_blocking=True)
            label = label.to(self.device, non_blocking=True)
            self.seconds += time.perf_counter() - started
            yield Batch(image, label, counted)


def draw_batches(sizes: list[tuple[int, int]], batch_size: int) -> list[list[int]]:
    """Indices of images in a drawn order, batches of like shapes, so that less of a batch is padding.

    Images are drawn in groups of eight batches, sorted within a group by shape, and the batches are drawn again.

    Args:
        sizes: width and height of each image.
    """
    order = torch.randperm(len(sizes)).tolist()
    group = 8 * batch_size
    batches = []
    for first in range(0, len(order), group):
        alike = sorted(
            order[first : first + group], key=lambda index: (sizes[index][0] / sizes[index][1], sizes[index])
        )
        batches += [alike[start : start + batch_size] for start in range(0, len(alike), batch_size)]
    return [batches[index] for index in torch.randperm(len(batches)).tolist()]
