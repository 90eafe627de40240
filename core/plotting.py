"""What all figures share: colours that a colour-blind reader can tell apart, curves, bars, tables, and showing them."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib
import numpy as np
from IPython.display import HTML, Markdown, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# One colour per class, in the classes' order, for up to 21 of them. Found by a search for the largest smallest distance
# in CIELAB as seen with normal, deuteranope and protanope eyes (tests/core/test_plotting.py measures it).
CLASS_COLOURS = (
    "#E6E6E6",
    "#E3B778",
    "#0072B2",
    "#8B2E00",
    "#6A0055",
    "#95FF00",
    "#001500",
    "#40AAAA",
    "#EA006A",
    "#EAAAFF",
    "#0000FF",
    "#556AFF",
    "#000087",
    "#E16900",
    "#FFFF87",
    "#FFFFC3",
    "#005A3C",
    "#00001E",
    "#1E4BB4",
    "#C3693C",
    "#D2C3A5",
)
# Okabe and Ito's palette, for curves and bars; its yellow is too pale for a line.
LINE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
EDGE = "#555555"  # of patches, and of what is marked
LINE_STYLES = ("-", "--", "-.", ":")
# Seven colours and four styles repeat together only after 28 lines; colour is never the only difference.
PANELS = {
    "training loss": "train_loss",
    "validation pixel accuracy": "pixel_accuracy",
    "validation mean IoU": "mean_iou",
}


def line_styles(names: Sequence[str]) -> dict[str, dict[str, object]]:
    """By name, what a line is drawn with."""
    return {
        name: {"color": colour, "linestyle": style}
        for name, colour, style in zip(names, cycle(LINE_COLOURS), cycle(LINE_STYLES))
    }


def curves(
    histories: Mapping[str, Sequence[Mapping]],
    panels: Mapping[str, str] = PANELS,
    best: Mapping[str, int | None] | None = None,
) -> Figure:
    """A panel for each of several quantities against the epoch, with one line a network.

    Args:
        histories: name → entries with `epoch`, and the quantity in the entry itself or in its `validation`.
        panels: title → name of the quantity; a history that lacks it has no line there.
        best: name → the epoch to mark with a ring.
    """
    return curves_over_seeds({name: [history] for name, history in histories.items()}, panels, best)


def curves_over_seeds(
    histories: Mapping[str, Sequence[Sequence[Mapping]]],
    panels: Mapping[str, str] = PANELS,
    best: Mapping[str, int | None] | None = None,
) -> Figure:
    """`curves` with several histories of each network: their mean, in a band of one standard deviation to either side.

    An epoch that not all of a network's histories have is left out.
    """
    with matplotlib.rc_context({"font.size": 9}):
        figure = Figure(figsize=(11, 3.6), layout="constrained")
        axes = np.atleast_1d(figure.subplots(1, len(panels)))
    styles = line_styles(list(histories))
    for axis, (title, quantity) in zip(axes, panels.items()):
        axis.set(title=title, xlabel="epoch")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        for name, several in histories.items():
            by_seed = [
                {entry["epoch"]: value for entry in history if (value := _of_epoch(entry, quantity)) is not None}
                for history in several
            ]
            epochs = [epoch for epoch in by_seed[0] if all(epoch in seed for seed in by_seed)]
            if not epochs:
                continue
            values = np.array([[seed[epoch] for epoch in epochs] for seed in by_seed])
            mean, colour = values.mean(axis=0), styles[name]["color"]
            axis.plot(epochs, mean, label=name, marker="o", markersize=3, **styles[name])
            if len(values) > 1:
                deviation = values.std(axis=0, ddof=1)
                axis.fill_between(epochs, mean - deviation, mean + deviation, color=colour, alpha=0.2, linewidth=0)
            if best is not None and best.get(name) in epochs:
                height = mean[epochs.index(best[name])]
                axis.plot(best[name], height, "o", markersize=9, markerfacecolor="none", color=colour)
    lines = {line.get_label(): line for axis in axes for line in axis.get_legend_handles_labels()[0]}
    columns = 2 if any(len(name) > 30 for name in lines) else 4
    figure.legend(handles=lines.values(), loc="outside lower center", ncols=columns, frameon=False)
    return figure


def _of_epoch(entry: Mapping, quantity: str) -> float | None:
    return entry.get(quantity, (entry.get("validation") or {}).get(quantity))


def grouped_bars(values: Mapping[str, Sequence[float | None]], names: Sequence[str], quantity: str) -> Figure:
    """A group of bars for each name, one bar a series, such as the classes' IoU for each network.

    Args:
        values: series → a number for each name; None is drawn as 0.
        quantity: what the numbers are.
    """
    figure = Figure(figsize=(max(7.0, 0.8 * len(names)), 3.4), layout="constrained")
    axis = figure.subplots()
    width = 0.8 / len(values)
    for number, (series, heights) in enumerate(values.items()):
        places = np.arange(len(names)) + (number - (len(values) - 1) / 2) * width
        colour = LINE_COLOURS[number % len(LINE_COLOURS)]
        axis.bar(places, [height or 0 for height in heights], width, label=series, color=colour)
    slanted = {"rotation": 30, "ha": "right"} if len(names) > 6 else {}
    axis.set_xticks(range(len(names)), names, **slanted)
    axis.set_ylabel(quantity)
    axis.grid(axis="y", alpha=0.3)
    figure.legend(loc="outside right center", frameon=False, fontsize=9)
    return figure


def lines(
    values: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x: str,
    y: str,
    marked: Mapping[str, float] | None = None,
    logarithmic: bool = False,
    axis: Axes | None = None,
) -> Figure | None:
    """Lines against a common quantity.

    Args:
        values: name → places and heights.
        x, y: what the axes show.
        marked: name → a place to mark with an upright line.
        logarithmic: the upright scale.
        axis: draws into these axes instead of a figure of its own.
    """
    figure = None
    if axis is None:
        figure = Figure(figsize=(6.5, 3.4), layout="constrained")
        axis = figure.subplots()
    styles = line_styles([*values, *(marked or {})])
    for name, (places, heights) in values.items():
        axis.plot(places, heights, marker="o", markersize=3, label=name, **styles[name])
    for name, place in (marked or {}).items():
        axis.axvline(place, label=name, **styles[name])
    axis.set(xlabel=x, ylabel=y, yscale="log" if logarithmic else "linear")
    axis.grid(alpha=0.3)
    if len(values) + len(marked or {}) > 1:
        axis.legend(fontsize=9)
    return figure


def picture(axis: Axes, pixels: np.ndarray, title: str) -> None:
    """Draws an (H, W, 3) image into axes, with a title and without ticks."""
    axis.imshow(pixels)
    axis.set_title(title, fontsize=10)
    axis.set_axis_off()


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> Markdown:
    """A table for a notebook; numbers that are no whole ones are given to three places."""
    text = [header, ["---"] * len(header), *([_cell(value) for value in row] for row in rows)]
    return Markdown("\n".join(f"| {' | '.join(row)} |" for row in text))


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def show(figure: Figure | bytes, alt: str) -> None:
    """Displays a figure, or a PNG file's bytes, in the notebook with a text for readers who can't see it."""
    display(image(figure, alt))


def image(figure: Figure | bytes, alt: str) -> HTML:
    """A figure, or a PNG file's bytes, as what `show` displays."""
    data = figure if isinstance(figure, bytes) else png(figure)
    return HTML(f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{base64.b64encode(data).decode()}">')


def png(figure: Figure) -> bytes:
    """The figure as a PNG file's bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80)
    return buffer.getvalue()


def svg(figure: Figure) -> bytes:
    """The figure as an SVG file, the same bytes each time."""
    file = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "figure"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()
