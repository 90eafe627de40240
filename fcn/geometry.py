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

    def strided(self, stride: int) -> "Grid":
        """The grid of every `stride`-th cell, beginning with the first."""
        return Grid(self.start, self.step * stride, self.receptive_field)


def bilinear_kernel(grid: Grid, onto: Grid) -> tuple[int, int]:
    """The transposed convolution that interpolates from one map's cells to another's: its kernel, and the crop.

    Its stride is the ratio of the steps. With an even kernel, twice the stride, new cells lie beside the old ones; with
    an odd one, a cell less, each old cell keeps its place.

    Returns:
        kernel: the one after which a whole number of cells separates the two maps.
        crop: that number: what to cut from the top and left of what comes out (negative: of the other map).

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

    A layer with branches is followed along all of them (see `fcn.execution`); they have to meet on the same cells.

    Raises:
        CourseError: a layer that it doesn't know, one that differs along the two sides, or one after which there is
            no map of cells any more.
    """
    from fcn.execution import after  # a layer with branches leads back here

    for layer in layers:
        grid = after(layer, grid)
    return grid


# What works on each cell by itself, or on all alike, and so leaves the cells where they are.
CELLWISE = (
    nn.Identity,
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.ELU,
    nn.GELU,
    nn.SiLU,
    nn.Tanh,
    nn.Sigmoid,
    nn.Hardswish,
    nn.Hardsigmoid,
    nn.Dropout,
    nn.Dropout2d,
    nn.BatchNorm2d,
    nn.GroupNorm,
    nn.InstanceNorm2d,
    nn.LocalResponseNorm,
)
WINDOWS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)


def is_known(layer: nn.Module) -> bool:
    """Whether the arithmetic below knows what this layer does to the cells, or the layer itself does (`grid`)."""
    if hasattr(layer, "grid"):
        return True
    kinds = (*WINDOWS, *CELLWISE, nn.ConvTranspose2d, nn.Upsample)
    kind = next((kind for kind in kinds if isinstance(layer, kind)), None)
    # A subclass that computes something of its own may pad or shift as well.
    return kind is not None and type(layer).forward is kind.forward


def after_known(layer: nn.Module, grid: Grid) -> Grid:
    """The grid after one layer that `is_known`.

    Raises:
        CourseError: it differs along the two sides.
    """
    if hasattr(layer, "grid"):
        return layer.grid(grid)
    if isinstance(layer, CELLWISE):
        return grid
    if isinstance(layer, nn.Upsample):
        return _interpolated(layer, grid)
    along = [_along(layer, side, grid) for side in (0, 1)]
    return meet(along, f"the two sides of {layer}")


def _along(layer: nn.Module, side: int, grid: Grid) -> Grid:
    kernel, stride = (_of_side(value, side) for value in (layer.kernel_size, layer.stride))
    dilation = _of_side(getattr(layer, "dilation", 1), side)
    if layer.padding == "same":  # what can't be shared evenly is added behind
        padding = dilation * (kernel - 1) // 2
    elif layer.padding == "valid":
        padding = 0
    else:
        padding = _of_side(layer.padding, side)
    if not isinstance(layer, nn.ConvTranspose2d):
        return grid.convolve(kernel, stride, padding, dilation)
    if dilation != 1:
        raise CourseError(f"Where the cells of {layer} lie isn't known, as it is dilated; choose another layer.")
    return grid.upsample(kernel, stride, padding)


def _of_side(value: int | tuple[int, ...], side: int) -> int:
    return value if isinstance(value, int) else value[side]


def _interpolated(layer: nn.Upsample, grid: Grid) -> Grid:
    """Cells share the image evenly before and after, as in `interpolate(align_corners=False)`."""
    factor = layer.scale_factor
    if layer.align_corners or not isinstance(factor, int | float) or not float(factor).is_integer():
        raise CourseError(f"Where the cells of {layer} lie depends on the image's size; choose an earlier layer.")
    wider = grid.step if layer.mode in ("bilinear", "bicubic") else 0
    return Grid(grid.start + (0.5 / factor - 0.5) * grid.step, grid.step / factor, grid.receptive_field + wider)


def meet(grids: Iterable[Grid], where: str) -> Grid:
    """The grid of maps that are put together cell by cell; the widest of them says how far a cell sees.

    Raises:
        CourseError: their cells don't lie on each other.
    """
    first, *others = grids
    if any((other.start, other.step) != (first.start, first.step) for other in others):
        places = " and ".join(sorted({f"{grid.start:g} + {grid.step:g} i" for grid in (first, *others)}))
        raise CourseError(f"Cells at {places} meet in {where}, so that they have no one place; choose another layer.")
    return max((first, *others), key=lambda grid: grid.receptive_field)
