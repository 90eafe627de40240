"""Pictures of scenes, their labels and predictions, in the colours of fcn.plots."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from fcn.digits.scenes import CLASSES, Scenes
from fcn.plots import CLASS_COLOURS, LINE_COLOURS, LINE_STYLES, colourise

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
    patches = [Patch(facecolor=colour, edgecolor="#555555", label=name) for colour, name in zip(DIGIT_COLOURS, CLASSES)]
    figure.legend(handles=patches, loc="outside lower center", ncols=6, frameon=False, fontsize=9)
    return figure


def loss_curves(losses: Mapping[str, Sequence[float]]) -> Figure:
    """Mean training loss over each tenth of a training, on a logarithmic scale, one line a training."""
    figure = Figure(figsize=(6.5, 3.4), layout="constrained")
    axis = figure.subplots()
    for number, (name, values) in enumerate(losses.items()):
        axis.semilogy(
            np.linspace(100 / len(values), 100, len(values)),
            values,
            label=name,
            marker="o",
            markersize=3,
            color=LINE_COLOURS[number % len(LINE_COLOURS)],
            linestyle=LINE_STYLES[number % len(LINE_STYLES)],
        )
    axis.set(xlabel="share of the training (%)", ylabel="cross-entropy")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9)
    return figure


def score_bars(scores: Mapping[str, Mapping[str, float]], quantity: str) -> Figure:
    """A group of bars per kind of scene, one bar a method.

    Args:
        scores: method → kind of scene → figure in 0..1.
    """
    kinds = list(next(iter(scores.values())))
    figure = Figure(figsize=(7.5, 3.4), layout="constrained")
    axis = figure.subplots()
    width = 0.8 / len(scores)
    for number, (name, values) in enumerate(scores.items()):
        places = np.arange(len(kinds)) + (number - (len(scores) - 1) / 2) * width
        axis.bar(places, [values[kind] for kind in kinds], width, label=name, color=LINE_COLOURS[number])
    axis.set_xticks(range(len(kinds)), kinds)
    axis.set(ylabel=quantity, ylim=(0, 1))
    axis.grid(axis="y", alpha=0.3)
    figure.legend(loc="outside right center", frameon=False, fontsize=9)
    return figure
