"""Label maps and prediction sheets, in colours that a colour-blind reader can tell apart."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from torch import Tensor, nn

from core.photographs import denormalise
from core.plotting import CLASS_COLOURS, EDGE, LINE_COLOURS
from fcn.dataset import CLASSES, VOID, LabelledPhotographs
from fcn.evaluation import predict


def colourise(label: Tensor | np.ndarray) -> np.ndarray:
    """(H, W) integer classes → (H, W, 3) uint8; void and anything else that is no class is white."""
    label = np.asarray(label)
    colours = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in CLASS_COLOURS], dtype=np.uint8)
    is_class = (label >= 0) & (label < len(colours))
    return np.where(is_class[..., None], colours[np.where(is_class, label, 0)], np.uint8(255))


def overlay(image: Tensor, label: Tensor, alpha: float = 0.5) -> np.ndarray:
    """A normalised (3, H, W) photograph with the (H, W) label's colours over it → (H, W, 3) float in 0..1."""
    return np.clip((1 - alpha) * denormalise(image) + alpha * colourise(label) / 255, 0, 1)  # rounding


def legend(figure: Figure, names: Sequence[str] = CLASSES, maps: Iterable[Tensor] = (), columns: int = 6) -> None:
    """The classes' colours and names, below everything.

    Args:
        names: of all classes, in their order.
        maps: the label maps that are shown; of more than twelve classes only those are listed that occur in them.
    """
    listed = range(len(names))
    if len(names) > 12:
        listed = sorted({c for each in maps for c in each.unique().tolist()} - {VOID})
    patches = [Patch(facecolor=CLASS_COLOURS[c], edgecolor=EDGE, label=names[c]) for c in listed]
    figure.legend(handles=patches, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)


def prediction_sheet(
    images: Sequence[Tensor],
    labels: Sequence[Tensor],
    predictions: Mapping[str, Sequence[Tensor]],
    names: Sequence[str] = CLASSES,
) -> Figure:
    """A row per image: itself, the truth, and for each network its prediction and where it errs.

    Args:
        images: normalised (3, H, W) each.
        labels: (H, W) each, classes or void.
        predictions: network's name → (H, W) classes for each photograph.
        names: of the classes; of more than twelve the legend lists those that occur in the sheet.
    """
    titles = ["image", "truth"] + [title for name in predictions for title in (name, "errors (black)")]
    heights = [height / width for height, width in (label.shape for label in labels)]  # all panels are equally wide
    figure = Figure(figsize=(1.9 * len(titles), 1.9 * sum(heights) + 0.9), layout="constrained")
    axes = figure.subplots(len(images), len(titles), squeeze=False, height_ratios=heights)
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


def label_sheet(dataset: LabelledPhotographs, count: int = 4) -> Figure:
    """The first images of a data set, each above its label map, with a legend."""
    figure = Figure(figsize=(2.25 * count, 5.4), layout="constrained")
    labels = []
    for column, index in zip(figure.subplots(2, count).T, range(count)):
        image, label = dataset[index]
        column[0].imshow(denormalise(image))
        column[1].imshow(colourise(label), interpolation="nearest")
        labels.append(label)
        for axis in column:
            axis.set_axis_off()
    legend(figure, dataset.classes, labels)
    return figure


def predicted_sheet(
    models: Mapping[str, nn.Module], dataset: LabelledPhotographs, indices: Sequence[int] | None = None
) -> Figure:
    """`prediction_sheet` of images of a data set, by default its first three, with what each network makes of them."""
    if indices is None:
        indices = range(min(3, len(dataset)))
    images, labels = zip(*(dataset[index] for index in indices))
    predictions = {name: [predict(model, image[None])[0].cpu() for image in images] for name, model in models.items()}
    return prediction_sheet(images, labels, predictions, dataset.classes)


def cost_bars(shares: Mapping[str, Mapping[str, Mapping[str, float]]], columns: Mapping[str, str]) -> Figure:
    """Each kind of layer's share of several costs, a panel a network.

    Args:
        shares: title → kind of layer → cost → share in 0..1.
        columns: cost → what it is called.
    """
    figure = Figure(figsize=(5 * len(shares), 3.6), layout="constrained")
    axes = figure.subplots(1, len(shares), sharey=True, squeeze=False)[0]
    for axis, (title, kinds) in zip(axes, shares.items()):
        for number, (column, name) in enumerate(columns.items()):
            places = [row + 0.27 * (number - 1) for row in range(len(kinds))]
            widths = [100 * share[column] for share in kinds.values()]
            axis.barh(places, widths, 0.25, color=LINE_COLOURS[number], label=name)
        axis.set(title=title, xlabel="share, %", xlim=(0, 100))
        axis.set_yticks(range(len(kinds)), kinds)
    axes[0].invert_yaxis()
    axes[-1].legend(fontsize=9)
    return figure
