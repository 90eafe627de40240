"""Sheets of maps over the pictures they explain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from cam.overlay import overlay, scale_to_unit
from core.plotting import LINE_COLOURS


@dataclass(frozen=True)
class Panel:
    """One picture with a map over it.

    Attributes:
        image: (H, W, 3) uint8.
        placed: the map on the picture's pixels, (H, W), of any range.
        title: above it.
        mask: (H, W) bool, outlined in white; None for no outline.
        peak: whether to mark the map's greatest value.
    """

    image: np.ndarray
    placed: np.ndarray | Tensor
    title: str = ""
    mask: np.ndarray | None = None
    peak: bool = False


def map_sheet(rows: Sequence[Sequence[Panel]], names: Sequence[str] = (), width: float = 2.1) -> Figure:
    """Panels in rows.

    Args:
        rows: as many panels each.
        names: of the rows, on their left.
        width: of a panel, in inches.
    """
    height, side = rows[0][0].image.shape[:2]
    size = len(rows[0]) * width, len(rows) * (width * height / side + 0.3)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(rows), len(rows[0]), squeeze=False)
    for row, panels in zip(axes, rows):
        for axis, panel in zip(row, panels):
            axis.imshow(overlay(panel.image, scale_to_unit(panel.placed), 0.62, "inferno"))
            if panel.mask is not None:
                axis.contour(panel.mask, [0.5], colors="white", linewidths=1.5)
            if panel.peak:
                down, right = np.unravel_index(int(np.asarray(panel.placed).argmax()), panel.image.shape[:2])
                axis.plot(right, down, "o", color=LINE_COLOURS[4], markeredgecolor="black", markersize=9)
            axis.set_title(panel.title, fontsize=10)
            axis.set(xticks=[], yticks=[])
    for row, name in zip(axes, names):
        row[0].set_ylabel(name)
    return figure
