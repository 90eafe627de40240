"""Showing a map over the photograph it explains."""

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from torch import Tensor

from cam.upsampling import check_covers, sample
from cam.view import View
from core.errors import CourseError
from fcn.geometry import Grid

FLAT = 1e-4  # a map whose range is less than this share of its size is nothing but rounding


def scale_to_unit(values: np.ndarray | Tensor) -> np.ndarray:
    """Scales one map linearly to 0..1, in float.

    A map without a range to speak of (one cell, or constant up to rounding: the guard is relative to the
    values' size) gives zeros rather than amplified noise. NaN marks pixels without a value and stays.

    Args:
        values: (H, W), any range.

    Returns:
        (H, W) float64.

    Raises:
        CourseError: infinite values, or nothing but NaN.
    """
    values = np.asarray(values, dtype=np.float64)
    if np.isinf(values).any() or np.isnan(values).all():
        raise CourseError("The map holds no numbers (NaN or infinite); check the network's weights and its input.")
    low, high = np.nanmin(values), np.nanmax(values)
    if high - low <= FLAT * max(abs(low), abs(high)):
        return np.where(np.isnan(values), np.nan, 0.0)
    return (values - low) / (high - low)


def map_on_photograph(cell_map: Tensor, grid: Grid, view: View, shape: tuple[int, int]) -> np.ndarray:
    """The map on the photograph's own pixels, through crop and resize.

    Args:
        cell_map: (h, w), at the layer's resolution.
        grid: where its cells lie in the network's input.
        view: which part of the photograph that input was.
        shape: (H, W) of the photograph.

    Returns:
        (H, W) float64; NaN where the network didn't look.

    Raises:
        CourseError: the grid can't be that of this map.
    """
    check_covers(cell_map, (view.size, view.size), grid)
    height, width = shape
    rows, columns = view.rows(height), view.columns(width)
    placed = sample(cell_map.double().cpu(), Tensor(rows).double(), Tensor(columns).double(), grid).numpy()
    seen_rows = (rows > -0.5) & (rows < view.size - 0.5)
    seen_columns = (columns > -0.5) & (columns < view.size - 0.5)
    return np.where(seen_rows[:, None] & seen_columns, placed, np.nan)


def overlay(photograph: np.ndarray, heat: np.ndarray, alpha: float = 0.5, colours: str = "jet") -> np.ndarray:
    """Blends a coloured map over a photograph: photograph * (1 - alpha) + colour * alpha.

    Args:
        photograph: (H, W, 3) uint8.
        heat: (H, W) in 0..1; where it is NaN, the photograph stays as it is.
        alpha: 0 gives the photograph back bit for bit, 1 the colours alone.
        colours: a Matplotlib colour map: "jet", the traditional one, or a perceptually uniform one such as
            "inferno".

    Returns:
        (H, W, 3) uint8.

    Raises:
        CourseError: the sizes differ, or alpha or the map leave 0..1.
    """
    if photograph.shape[:2] != heat.shape:
        raise CourseError(
            f"A map of {heat.shape} doesn't lie on a photograph of {photograph.shape[:2]}; "
            "bring it to the photograph's pixels first (map_on_photograph)."
        )
    if not 0 <= alpha <= 1 or np.nanmin(heat) < 0 or np.nanmax(heat) > 1:
        raise CourseError("The map and alpha must lie between 0 and 1; scale the map first (scale_to_unit).")
    seen = ~np.isnan(heat)
    colour = 255 * matplotlib.colormaps[colours](np.where(seen, heat, 0.0))[..., :3]
    weight = alpha * seen[..., None]
    return np.round(photograph * (1 - weight) + colour * weight).astype(np.uint8)


def overlay_figure(photograph: np.ndarray, heat: np.ndarray, caption: str, alpha: float = 0.5) -> Figure:
    """The photograph, the map over it in JET and in a perceptually uniform colour map, a colour bar each.

    Args:
        photograph: (H, W, 3) uint8.
        heat: (H, W) in 0..1, NaN where the network didn't look.
        caption: what the map shows, such as "tabby, 0.83".
        alpha: weight of the colours.
    """
    figure = Figure(figsize=(10, 10 * len(heat) / (3 * heat.shape[1]) + 0.5), layout="constrained")
    plain, *mapped = figure.subplots(1, 3)
    plain.imshow(photograph)
    plain.set_title("image")
    for axes, colours in zip(mapped, ("jet", "inferno")):
        axes.imshow(overlay(photograph, heat, alpha, colours))
        axes.set_title(f"{caption} ({colours})")
        figure.colorbar(ScalarMappable(cmap=colours), ax=axes, label="map, scaled to 0–1", shrink=0.8)
    for axes in (plain, *mapped):
        axes.set_axis_off()
    return figure
