"""Receptive-field arithmetic: where in the image the cells of a feature map lie.

A layer with kernel k, stride s and padding p looks, for its output cell i, at the input cells
i*s - p ... i*s - p + k - 1, whose middle is i*s + (k - 1)/2 - p. Following that rule from the image up
gives every crop and offset of an FCN, so none of them has to be typed in.

Source: Long, Shelhamer and Darrell, "Fully Convolutional Networks for Semantic Segmentation", section 3.2 and
appendix; the rule itself is in Araujo, Norris and Sim, "Computing Receptive Fields of CNNs" (Distill, 2019).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn
from torchvision.models.googlenet import Inception


@dataclass(frozen=True)
class Grid:
    """The places of a feature map's cells along one side of the image.

    Cell i is centred at pixel `start + i * step` and sees `receptive_field` pixels around it.
    Pixels are counted from 0, at their centres; the image itself is `Grid()`.
    """

    start: float = 0.0
    step: float = 1.0
    receptive_field: float = 1.0

    def convolve(self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> "Grid":
        """The grid after a convolution or a pooling layer."""
        reach = dilation * (kernel - 1)
        return Grid(
            start=self.start + (reach / 2 - padding) * self.step,
            step=self.step * stride,
            receptive_field=self.receptive_field + reach * self.step,
        )

    def upsample(self, kernel: int, stride: int, padding: int = 0) -> "Grid":
        """The grid after a transposed convolution, which spreads cell i over i*s - p ... i*s - p + k - 1."""
        return Grid(
            start=self.start - ((kernel - 1) / 2 - padding) * self.step / stride,
            step=self.step / stride,
            receptive_field=self.receptive_field + ((kernel - 1) // stride) * self.step,
        )

    def cells_to(self, other: "Grid") -> int:
        """How many cells from this map's cell 0 to the place of the other's cell 0.

        A positive number is what to cut from this map's top and left to put it onto the other; a negative one,
        what to cut from the other.

        Raises:
            ValueError: the steps differ, or no whole number of cells aligns the two.
        """
        cells = (other.start - self.start) / self.step
        if self.step != other.step or not cells.is_integer():
            raise ValueError(f"no crop puts {self} onto {other}")
        return int(cells)

    def widened(self, cells: int) -> "Grid":
        """The grid of the map with so many cells added on every side."""
        return Grid(self.start - cells * self.step, self.step, self.receptive_field)


def _pair_first(value: int | tuple[int, ...]) -> int:
    return value if isinstance(value, int) else value[0]


def follow(layers: Iterable[nn.Module], grid: Grid = Grid()) -> Grid:
    """The grid after these layers, applied one after another.

    Only convolutions, poolings and transposed convolutions move the cells; a layer that works on each cell by
    itself (ReLU, dropout, batch normalisation) leaves the grid as it is. Layers are taken to be square.
    """
    for layer in layers:
        if isinstance(layer, nn.ConvTranspose2d):
            grid = grid.upsample(*(_pair_first(v) for v in (layer.kernel_size, layer.stride, layer.padding)))
        elif isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            grid = grid.convolve(
                *(_pair_first(v) for v in (layer.kernel_size, layer.stride, layer.padding, layer.dilation))
            )
        elif isinstance(layer, Inception):  # parallel branches: the widest one gives the receptive field
            branches = (layer.branch1, layer.branch2, layer.branch3, layer.branch4)
            grid = max((follow([branch], grid) for branch in branches), key=lambda g: g.receptive_field)
        else:
            grid = follow(layer.children(), grid)
    return grid
