"""A pixel of an image, and what the cell nearest to it sees in each layer."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import nn

from core.plotting import line_styles
from course.widgets.hands_on import Drawing, hands_on, slider
from fcn.geometry import Grid, follow


def poolings(layers: nn.Sequential) -> dict[str, Grid]:
    """Where the cells lie after each pooling of a network without branches: pool1, pool2, …"""
    places = [place for place, layer in enumerate(layers, start=1) if isinstance(layer, nn.MaxPool2d)]
    return {f"pool{number}": follow(layers[:place]) for number, place in enumerate(places, start=1)}


def seen_along(grid: Grid, place: int) -> tuple[float, float]:
    """The first and the last pixel, along one side, that the cell nearest to a place sees; they may lie outside."""
    middle = grid.start + max(0, round((place - grid.start) / grid.step)) * grid.step
    reach = (grid.receptive_field - 1) / 2
    return middle - reach, middle + reach


def draw(image: np.ndarray, grids: Mapping[str, Grid], row: int, column: int) -> Drawing:
    """The squares that the cells nearest to a pixel see, on the image, and each square by itself.

    Args:
        image: (H, W, 3) uint8.
        grids: by layer, from early to late.
    """
    height, width = image.shape[:2]
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1.2, 1])
    axis = left.subplots()
    axis.imshow(image)
    columns = -(-len(grids) // 2)
    panels = right.subplots(2, columns, squeeze=False).flat
    for panel, (name, grid), style in zip(panels, grids.items(), line_styles(list(grids)).values()):
        (top, bottom), (first, last) = seen_along(grid, row), seen_along(grid, column)
        side = grid.receptive_field
        axis.add_patch(Rectangle((first - 0.5, top - 0.5), side, side, fill=False, linewidth=2, label=name, **style))
        # What lies outside of the image stays white, as the network sees zeros there.
        panel.imshow(image, extent=(-0.5, width - 0.5, height - 0.5, -0.5))
        panel.set(xlim=(first - 0.5, last + 0.5), ylim=(bottom + 0.5, top - 0.5), xticks=[], yticks=[])
        panel.set_title(f"{name}: {side:g} × {side:g}", fontsize=10)
    for unused in right.axes[len(grids) :]:
        unused.remove()
    axis.plot(column, row, "+", color="white", markersize=12, markeredgewidth=2)
    axis.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), xticks=[], yticks=[])
    axis.set_title(f"row {row}, column {column}", fontsize=10)
    left.legend(loc="outside lower center", ncols=6, frameon=False, fontsize=9)
    sizes = ", ".join(f"{name} {grid.receptive_field:g}" for name, grid in grids.items())
    return figure, f"What the cells nearest to row {row}, column {column} see of an image, sides in pixels: {sizes}."


def choose_pixel(image: np.ndarray, grids: Mapping[str, Grid]) -> None:
    """Row and column to move, beginning in the middle (ipywidgets know of no click on an image)."""
    sides = zip(("row", "column"), image.shape[:2])
    controls = {name: slider(name, side // 2, 0, side - 1) for name, side in sides}
    hands_on(partial(draw, image, grids), controls)
