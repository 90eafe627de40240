"""Bringing a map to the image's pixels: where its cells really are, and where resizing puts them.

Resizing (`interpolate(align_corners=False)`, OpenCV) takes the cells to share the image evenly, so that cell j of
a stride-32 map is centred at pixel 32 j + 15.5. In a ResNet it is centred at pixel 32 j: each padded layer of
stride 2 keeps its first cell on pixel 0. The resized map is shifted right and down by half a cell.
"""

import torch
from torch import Tensor, nn

from core.errors import CourseError
from fcn.geometry import Grid


def upsample_aligned(maps: Tensor, size: tuple[int, int], grid: Grid) -> Tensor:
    """Bilinear interpolation between cells that sit at their receptive fields' centres.

    Pixels beyond the outermost centres take the value of the nearest cell.

    Args:
        maps: (..., h, w).
        size: (H, W) of the network's input.
        grid: where the cells are, from `cam.layers.layer_grid`.

    Returns:
        (..., H, W).

    Raises:
        CourseError: the grid cannot be that of these maps, since it doesn't cover the image.
    """
    check_covers(maps, size, grid)
    return sample(maps, torch.arange(size[0]), torch.arange(size[1]), grid)


def check_covers(maps: Tensor, size: tuple[int, int], grid: Grid) -> None:
    """Refuses a grid that can't be that of maps (..., h, w) of an image of `size` (H, W).

    Raises:
        CourseError: the grid's cells don't cover the image, or go beyond it.
    """
    for cells, pixels in zip(maps.shape[-2:], size):
        last = grid.start + (cells - 1) * grid.step
        if grid.start < -grid.step or not pixels - 1 - 2 * grid.step <= last <= pixels - 1 + grid.step:
            raise CourseError(
                f"{cells} cells at {grid.start:g} + {grid.step:g} j do not cover {pixels} pixels; "
                "give the grid of the layer that the map comes from."
            )


def sample(maps: Tensor, rows: Tensor, columns: Tensor, grid: Grid) -> Tensor:
    """The maps' values at the given rows and columns of the network's input, bilinear.

    Args:
        maps: (..., h, w).
        rows: (H,) places in pixels of the input, not necessarily whole.
        columns: (W,) likewise.
        grid: where the cells are.

    Returns:
        (..., H, W).
    """
    down = _hat_weights((rows.to(maps) - grid.start) / grid.step, maps.shape[-2])
    across = _hat_weights((columns.to(maps) - grid.start) / grid.step, maps.shape[-1])
    return down @ maps @ across.T


def _hat_weights(places: Tensor, cells: int) -> Tensor:
    """(len(places), cells): the weight of each cell at each place, which falls linearly to its neighbours."""
    places = places.clamp(0, cells - 1)
    return (1 - (places[:, None] - torch.arange(cells).to(places)).abs()).clamp(min=0)


def upsample_ordinary(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """What CAM implementations usually do: `interpolate(align_corners=False)`, (..., h, w) to (..., H, W)."""
    flat = maps.reshape(-1, 1, *maps.shape[-2:])
    enlarged = nn.functional.interpolate(flat, size=size, mode="bilinear", align_corners=False)
    return enlarged.reshape(*maps.shape[:-2], *size)
