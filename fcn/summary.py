"""A network in figures, computed from its layers: parameters, depth, receptive field, step (FCN paper, table 1)."""

import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision.models.googlenet import Inception

from fcn.backbones import Trunk


@dataclass(frozen=True)
class Summary:
    """What table 1 of the paper says of a network besides its scores.

    Attributes:
        parameters: of the trunk, without the score layer.
        depth: convolutions on the longest path from the image to the scores, the score layer among them.
        receptive_field: side of the square of pixels that a score cell sees.
        step: pixels between score cells.
    """

    parameters: int
    depth: int
    receptive_field: int
    step: int


def summarise(trunk: Trunk) -> Summary:
    """The figures of a trunk with one score layer behind it."""
    grid = trunk.grids[-1]
    return Summary(
        sum(p.numel() for p in trunk.parameters()),
        longest_path(trunk.children()) + 1,
        int(grid.receptive_field),
        int(grid.step),
    )


def longest_path(layers: Iterable[nn.Module]) -> int:
    """Convolutions that the signal passes, at most, in these layers applied one after another."""
    passed = 0
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            passed += 1
        elif isinstance(layer, Inception):
            passed += max(longest_path([branch]) for branch in layer.children())
        else:
            passed += longest_path(layer.children())
    return passed


def forward_seconds(model: nn.Module, image: Tensor, rounds: int = 3) -> float:
    """The median time of a forward pass in eval mode, after one that warms up."""
    model.eval()
    seconds = []
    with torch.inference_mode():
        for _ in range(rounds + 1):
            started = time.perf_counter()
            model(image)
            if image.is_cuda:
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])
