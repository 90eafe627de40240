"""Label maps, prediction sheets and curves, in colours that a colour-blind reader can tell apart."""

import base64
import html
import io
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from IPython.display import HTML, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from core.photographs import denormalise
from fcn.dataset import CLASSES, VOID

# One colour per class, in the classes' order, for up to 21 of them. Found by a search for the largest smallest distance
# in CIELAB as seen with normal, deuteranope and protanope eyes (tests/test_plots.py measures it).
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
LINE_STYLES = ("-", "--", "-.", ":")


def colourise(label: Tensor | np.ndarray) -> np.ndarray:
    """(H, W) integer classes → (H, W, 3) uint8; void and anything else that is no class is white."""
    label = np.asarray(label)
    colours = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in CLASS_COLOURS], dtype=np.uint8)
    is_class = (label >= 0) & (label < len(colours))
    return np.where(is_class[..., None], colours[np.where(is_class, label, 0)], np.uint8(255))


def overlay(image: Tensor, label: Tensor, alpha: float = 0.5) -> np.ndarray:
    """A normalised (3, H, W) photograph with the (H, W) label's colours over it → (H, W, 3) float in 0..1."""
    return (1 - alpha) * denormalise(image) + alpha * colourise(label) / 255


def legend(figure: Figure, names: Sequence[str] = CLASSES, maps: Iterable[Tensor] = (), columns: int = 6) -> None:
    """The classes' colours and names, below everything.

    Args:
        names: of all classes, in their order.
        maps: the label maps that are shown; of more than twelve classes only those are listed that occur in them.
    """
    listed = range(len(names))
    if len(names) > 12:
        listed = sorted({c for each in maps for c in each.unique().tolist()} - {VOID})
    patches = [Patch(facecolor=CLASS_COLOURS[c], edgecolor="#555555", label=names[c]) for c in listed]
    figure.legend(handles=patches, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)


def prediction_sheet(
    images: Sequence[Tensor],
    labels: Sequence[Tensor],
    predictions: Mapping[str, Sequence[Tensor]],
    names: Sequence[str] = CLASSES,
) -> Figure:
    """A row per photograph: itself, the truth, and for each network its prediction and where it errs.

    Args:
        images: normalised (3, H, W) each.
        labels: (H, W) each, classes or void.
        predictions: network's name → (H, W) classes for each photograph.
        names: of the classes; of more than twelve the legend lists those that occur in the sheet.
    """
    titles = ["photograph", "truth"] + [title for name in predictions for title in (name, "errors (black)")]
    figure = Figure(figsize=(1.9 * len(titles), 1.9 * len(images) + 0.6), layout="constrained")
    axes = figure.subplots(len(images), len(titles), squeeze=False)
    for row, (image, label) in enumerate(zip(images, labels)):
        panels = [denormalise(image), colourise(label)]
        for of_all in predictions.values():
            predicted = of_all[row].cpu()
            panels += [colourise(predicted), errors(predicted, label)]
        for axis, panel in zip(axes[row], panels):
            axis.imshow(panel, interpolation="nearest")
            axis.set_axis_off()
    for axis, title in zip(axes[0], titles):
        axis.set_title(title, fontsize=10)
    legend(figure, names, [*labels, *(each for of_all in predictions.values() for each in of_all)])
    return figure


def errors(predicted: Tensor, label: Tensor) -> np.ndarray:
    """Black where the class is wrong, light grey where it is right, white where it isn't counted: uint8."""
    grey = torch.where(predicted == label, 225, 0)
    return np.repeat(torch.where(label == VOID, 255, grey).numpy().astype(np.uint8)[..., None], 3, axis=2)


def curves(histories: Mapping[str, Sequence[Mapping]]) -> Figure:
    """Training loss, validation pixel accuracy and mean IoU against the epoch, one line a network."""
    panels = {
        "training loss": lambda epoch: epoch["train_loss"],
        "validation pixel accuracy": lambda epoch: epoch["validation"]["pixel_accuracy"],
        "validation mean IoU": lambda epoch: epoch["validation"]["mean_iou"],
    }
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    for axis, (title, value) in zip(figure.subplots(1, 3), panels.items()):
        for number, (name, history) in enumerate(histories.items()):
            axis.plot(
                [epoch["epoch"] for epoch in history],
                [value(epoch) for epoch in history],
                label=name,
                color=LINE_COLOURS[number % len(LINE_COLOURS)],
                marker="o",
                markersize=3,
                linestyle=LINE_STYLES[number % len(LINE_STYLES)],
            )
        _label(axis, title)
    axis.legend(fontsize=9)
    return figure


def class_bars(values: Mapping[str, Sequence[float | None]], quantity: str, names: Sequence[str] = CLASSES) -> Figure:
    """A group of bars per class, one bar a series, such as the classes' IoU for each network."""
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    axis = figure.subplots()
    width = 0.8 / len(values)
    for number, (name, heights) in enumerate(values.items()):
        places = np.arange(len(names)) + (number - (len(values) - 1) / 2) * width
        axis.bar(
            places,
            [height or 0 for height in heights],
            width,
            label=name,
            color=LINE_COLOURS[number % len(LINE_COLOURS)],
        )
    axis.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axis.set_ylabel(quantity)
    axis.grid(axis="y", alpha=0.3)
    axis.legend(fontsize=9)
    return figure


def show(figure: Figure, alt: str) -> None:
    """Displays a figure in the notebook with a text for readers who can't see it."""
    display(
        HTML(f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{base64.b64encode(png(figure)).decode()}">')
    )


def png(figure: Figure) -> bytes:
    """The figure as a PNG file's bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80)
    return buffer.getvalue()


def _label(axis: Axes, title: str) -> None:
    axis.set_title(title, fontsize=10)
    axis.set_xlabel("epoch")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(alpha=0.3)
