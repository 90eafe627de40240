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

from core.errors import CourseError


@dataclass(frozen=True)
class Grid:
    """Where the cells of a feature map lie along one side of the image.

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

        A positive number is what to crop from this map's top and left to put it onto the other; a negative one,
        what to crop from the other.

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


def bilinear_kernel(grid: Grid, onto: Grid) -> tuple[int, int]:
    """The transposed convolution that interpolates from one map's cells to another's: its kernel, and the crop.

    Its stride is the ratio of the steps. With an even kernel, twice the stride, new cells lie beside the old ones; with
    an odd one, a cell less, each old cell keeps its place.

    Returns:
        kernel: the one after which a whole number of cells separates the two maps.
        crop: that number: what to crop from the top and left of what comes out (negative: of the other map).

    Raises:
        ValueError: neither does.
    """
    stride = int(grid.step / onto.step)
    for kernel in (2 * stride, 2 * stride - 1):
        upsampled = grid.upsample(kernel, stride)
        if ((onto.start - upsampled.start) / onto.step).is_integer():
            return kernel, upsampled.cells_to(onto)
    raise ValueError(f"no bilinear kernel of stride {stride} puts {grid} onto {onto}")


def follow(layers: Iterable[nn.Module], grid: Grid = Grid()) -> Grid:
    """The grid after these layers, applied one after another.

    Raises:
        CourseError: a layer that it doesn't know, one that differs along the two sides, or one whose parallel paths
            end on different cells.
    """
    for layer in layers:
        grid = _after(layer, grid)
    return grid


def follow_to(model: nn.Module, target: nn.Module, grid: Grid = Grid()) -> Grid:
    """The grid of the output of one layer somewhere within a network.

    Raises:
        CourseError: as `follow`, for all that comes before the layer.
    """
    for path in _paths(model):
        start = grid
        for layer in path:
            if layer is target:
                return _after(layer, start)
            if any(part is target for part in layer.modules()):
                return follow_to(layer, target, start)
            start = _after(layer, start)
    raise _unknown(model)


# Layers by the name of their class, so that timm, slow to import, is only imported where it is used. A subclass isn't
# its parent: it may pad or shift as well. A module of the course's own has a method `grid` or `paths` instead.
CELLWISE = {"Identity", "ReLU", "ReLU6", "Tanh", "Sigmoid", "Dropout", "BatchNorm2d", "BatchNormAct2d"}
WINDOWS = {"Conv2d", "MaxPool2d", "AvgPool2d"}
# Their children are applied in the order in which they are registered: torchvision's networks, GoogLeNet's
# convolution, EfficientNet's two blocks in timm.
CHAINS = {
    "Sequential",
    "AlexNet",
    "VGG",
    "GoogLeNet",
    "ResNet",
    "BasicConv2d",
    "DepthwiseSeparableConv",
    "InvertedResidual",
}
# Parallel paths, each a chain of children.
BRANCHES = {
    "Inception": [["branch1"], ["branch2"], ["branch3"], ["branch4"]],
    "BasicBlock": [["conv1", "bn1", "relu", "conv2", "bn2"], ["downsample"]],
    "Bottleneck": [["conv1", "bn1", "conv2", "bn2", "conv3", "bn3", "relu"], ["downsample"]],
}


def _after(layer: nn.Module, grid: Grid) -> Grid:
    """The grid after one layer."""
    if hasattr(layer, "grid"):
        return layer.grid(grid)
    kind = type(layer).__name__
    if kind in CELLWISE:
        return grid
    if kind in WINDOWS:
        return grid.convolve(
            *(_of_both_sides(layer, name) for name in ("kernel_size", "stride", "padding", "dilation"))
        )
    if kind == "ConvTranspose2d":
        return grid.upsample(*(_of_both_sides(layer, name) for name in ("kernel_size", "stride", "padding")))
    return _common([follow(path, grid) for path in _paths(layer)], kind)


def _paths(layer: nn.Module) -> list[list[nn.Module]]:
    """The parallel paths through a layer, each a chain of layers."""
    kind = type(layer).__name__
    if hasattr(layer, "paths"):
        return layer.paths()
    if kind in CHAINS:
        return [list(layer.children())]
    if kind in BRANCHES:
        return [[child for name in path if (child := getattr(layer, name)) is not None] for path in BRANCHES[kind]]
    raise _unknown(layer)


def _of_both_sides(layer: nn.Module, name: str) -> int:
    value = getattr(layer, name, 1)  # average pooling has no dilation
    sides = {value} if isinstance(value, int) else set(value)
    if len(sides) != 1:
        raise CourseError(f"{layer} has {name} {value}, so that its cells have no one place; choose another layer.")
    return sides.pop()


def _common(grids: list[Grid], kind: str) -> Grid:
    """The grid of maps that are added or concatenated; the widest of them says how far a cell sees."""
    widest = max(grids, key=lambda grid: grid.receptive_field)
    if any((grid.start, grid.step) != (widest.start, widest.step) for grid in grids):
        raise CourseError(f"The paths through {kind} end on different cells, so that they have no one place.")
    return widest


def _unknown(layer: nn.Module) -> CourseError:
    return CourseError(
        f"Where the cells of {type(layer).__name__} lie isn't known; choose a layer before it, or add an entry to "
        "fcn.geometry."
    )
