"""The batches of a training: whole photographs of like shapes, or windows cut at random."""

import math
from collections.abc import Iterator

import torch
from torch.utils.data import DataLoader

from core.devices import on_device
from core.progress import Batch
from fcn.dataset import LabelledPhotographs, collate
from fcn.windows import DRAWS, Windows


class Batches:
    """The batches of an epoch, in an order drawn anew whenever they are iterated over.

    Args:
        dataset: the photographs.
        batch_size: images a step.
        window: side of the windows to cut; None: whole photographs.
        device: of the batches.
    """

    def __init__(self, dataset: LabelledPhotographs, batch_size: int, window: int | None, device: torch.device) -> None:
        self.dataset, self.batch_size, self.window, self.device = dataset, batch_size, window, device

    def __len__(self) -> int:
        return math.ceil(len(self.dataset) / self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        pinned = self.device.type == "cuda"
        if self.window is None:
            order = draw_order([self.dataset.size(index) for index in range(len(self.dataset))], self.batch_size)
            loader = DataLoader(self.dataset, batch_sampler=order, collate_fn=collate, pin_memory=pinned)
        else:
            order = draw_order([(1, 1)] * len(self.dataset), self.batch_size)
            loader = DataLoader(Windows(self.dataset, self.window), batch_sampler=_with_draws(order), pin_memory=pinned)
        return on_device(loader, self.device)


def draw_order(sizes: list[tuple[int, int]], batch_size: int) -> list[list[int]]:
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


def _with_draws(order: list[list[int]]) -> Iterator[list[tuple[int, list[float]]]]:
    """The indices that `Windows` takes: with each photograph's index the numbers that place its window."""
    drawn = iter(torch.rand(sum(map(len, order)), DRAWS).tolist())
    for batch in order:
        yield [(index, next(drawn)) for index in batch]
