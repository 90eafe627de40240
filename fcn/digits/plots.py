"""Pictures of scenes, their labels and predictions, in the palette of all label maps."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from core.plotting import CLASS_COLOURS, EDGE, LINE_COLOURS, lines
from fcn.digits.scenes import CLASSES, Scenes
from fcn.geometry import Grid
from fcn.plots import colourise

DIGIT_COLOURS = (*CLASS_COLOURS[1 : len(CLASSES)], CLASS_COLOURS[0])  # background is the light grey


def colourise_digits(mask: np.ndarray) -> np.ndarray:
    """(H, W) of 0..10 → (H, W, 3) uint8."""
    return colourise((mask.astype(np.int64) + 1) % len(CLASSES))


def sheet(scenes: Scenes, predictions: Mapping[str, np.ndarray], rows: int) -> Figure:
    """The first scenes, a row each: image, truth, and each prediction, with a legend of the 11 classes.

    Args:
        predictions: what made it → (at least `rows`, H, W) of 0..10.
    """
    titles = ["image", "truth", *predictions]
    height, width = scenes.masks.shape[1:]
    figure = Figure(figsize=(2.3 * len(titles), 2.3 * rows * height / width + 0.8), layout="constrained")
    for row, axes in enumerate(figure.subplots(rows, len(titles), squeeze=False)):
        axes[0].imshow(scenes.images[row], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        for axis, mask in zip(axes[1:], (scenes.masks, *predictions.values())):
            axis.imshow(colourise_digits(mask[row]), interpolation="nearest")
        for axis, title in zip(axes, titles):
            axis.set_axis_off()
            if row == 0:
                axis.set_title(title, fontsize=10)
    patches = [Patch(facecolor=colour, edgecolor=EDGE, label=name) for colour, name in zip(DIGIT_COLOURS, CLASSES)]
    figure.legend(handles=patches, loc="outside lower center", ncols=6, frameon=False, fontsize=9)
    return figure


def loss_curves(losses: Mapping[str, Sequence[float]]) -> Figure:
    """Mean training loss over each tenth of a training, on a logarithmic scale, one line a training."""
    shares = {name: np.linspace(100 / len(values), 100, len(values)) for name, values in losses.items()}
    values = {name: (shares[name], losses[name]) for name in losses}
    return lines(values, "share of the training (%)", "cross-entropy", logarithmic=True)


def scene_pairs(kinds: Mapping[str, Scenes], indices: Sequence[int] = (0, 100)) -> Figure:
    """Some scenes of each kind, each above its label map."""
    columns = [(kind, index) for kind in kinds for index in indices]
    widths = [kinds[kind].masks.shape[2] / kinds[kind].masks.shape[1] for kind, _ in columns]
    figure = Figure(figsize=(10, 3.1), layout="constrained")
    rows = figure.subplots(2, len(columns), width_ratios=widths)
    for (above, below), (kind, index) in zip(rows.T, columns):
        above.imshow(kinds[kind].images[index], cmap="gray", vmin=0, vmax=1)
        below.imshow(colourise_digits(kinds[kind].masks[index]))
        above.set_title(kind)
    for axes in rows.flat:
        axes.set_axis_off()
    return figure


def digits_at_cells(image: np.ndarray, probabilities: np.ndarray, grid: Grid) -> Figure:
    """A scene with the most likely digit of each cell at the cell's place, beside its probability.

    Args:
        image: (H, W) in 0..1.
        probabilities: (10, h, w).
        grid: where the cells lie.
    """
    figure = Figure(figsize=(10, 3.3), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.imshow(image, cmap="gray", vmin=0, vmax=1)
    for i, j in np.ndindex(probabilities.shape[1:]):
        x, y = grid.start + grid.step * j, grid.start + grid.step * i
        digit = probabilities[:, i, j].argmax()
        left.text(x, y, digit, color=LINE_COLOURS[1], weight="bold", ha="center", va="center")
    left.set(title="the most likely digit of each cell", xlabel="pixel", ylabel="pixel")
    heat = right.imshow(probabilities.max(axis=0), cmap="viridis", vmin=0, vmax=1)
    right.set(title="its probability", xlabel="cell", ylabel="cell")
    figure.colorbar(heat, ax=right)
    return figure
