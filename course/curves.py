"""The training curves of several notebooks in one figure."""

import io
from itertools import cycle

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.claims.claim import Results

# Okabe and Ito's palette without its yellow, which is too pale for a line on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# Seven and five repeat together only after 35 notebooks; colour is never the only difference.
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
PANELS = (
    ("training loss", "train_loss"),
    ("validation mean IoU", "mean_iou"),
    ("validation pixel accuracy", "pixel_accuracy"),
)


def validation_curves(results: Results) -> Figure:
    """One panel for the training loss and one each for two validation figures, by epoch.

    Args:
        results: records with a history.
    """
    with matplotlib.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(10, 3.6), layout="constrained")
        panels = figure.subplots(1, len(PANELS))
    styles = dict(zip(results, zip(cycle(COLOURS), cycle(LINES))))
    for axes, (title, key) in zip(panels, PANELS):
        axes.set(title=title, xlabel="epoch")
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.xaxis.get_major_locator().set_params(integer=True)
        for name, record in results.items():
            _draw(axes, key, name, record, *styles[name])
    lines = {line.get_label(): line for axes in panels for line in axes.get_legend_handles_labels()[0]}
    figure.legend(handles=lines.values(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def svg(figure: Figure) -> bytes:
    """The figure as an SVG file, the same bytes each time."""
    file = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "curves"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def _draw(axes: Axes, key: str, name: str, record: dict, colour: str, line: str | tuple) -> None:
    points = [
        (entry["epoch"], value)
        for entry in record["history"]
        if (value := entry.get(key, (entry.get("validation") or {}).get(key))) is not None
    ]
    if not points:  # not every history has every figure
        return
    axes.plot(*zip(*points), color=colour, linestyle=line, linewidth=2, label=name)
    kept = [point for point in points if point[0] == record["best_epoch"]]
    for epoch, value in kept:
        axes.plot(epoch, value, "o", markersize=7, markerfacecolor="none", markeredgecolor=colour)
