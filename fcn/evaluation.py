"""Predictions and scores of a segmentation network."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from core.devices import autocast
from core.errors import CourseError
from core.training import in_mode
from fcn.dataset import VOID, LabelledPhotographs
from fcn.metrics import ConfusionMatrix

Count = Callable[[Tensor], Tensor]  # label (N, H, W) → bool (N, H, W), the pixels to count


def predict(model: nn.Module, image: Tensor, precision: str = "float32") -> Tensor:
    """The most likely class of each pixel: (N, 3, H, W) normalised → (N, H, W) int64, in eval mode."""
    return _logits(model, image, precision).argmax(dim=1)


def evaluate(
    model: nn.Module, dataset: LabelledPhotographs, precision: str = "float32", count: Count | None = None
) -> ConfusionMatrix:
    """One confusion matrix over a split, image by image, so that no padding enters; the model's mode stays.

    Args:
        count: the pixels to count; all by default.

    Raises:
        CourseError: the split is empty.
    """
    check_not_empty(dataset)
    matrices = list(evaluate_each(model, dataset, precision, count))
    return sum(matrices[1:], start=matrices[0])


def figures(model: nn.Module, dataset: LabelledPhotographs, precision: str) -> dict[str, object]:
    """The figures of a split's confusion matrix, see `evaluate`."""
    return evaluate(model, dataset, precision).figures()


def evaluate_each(
    model: nn.Module, dataset: LabelledPhotographs, precision: str = "float32", count: Count | None = None
) -> Iterator[ConfusionMatrix]:
    """A confusion matrix for each image of a split; the arguments are those of `evaluate`."""
    for image, label in DataLoader(dataset):
        logits = _logits(model, image, precision)
        label, matrix = label.to(logits.device), ConfusionMatrix(logits.shape[1])
        matrix.update(logits.argmax(dim=1), label if count is None else label.masked_fill(~count(label), VOID))
        yield matrix


def check_not_empty(dataset: LabelledPhotographs) -> None:
    """Raises CourseError if a split has no photograph."""
    if len(dataset) == 0:
        raise CourseError(f"The {dataset.split} split of {dataset.root} is empty; give it at least one photograph.")


def check_labelled(*datasets: LabelledPhotographs) -> None:
    """Raises CourseError if a split has no photograph, or none with a pixel that isn't void."""
    for dataset in datasets:
        check_not_empty(dataset)
        if all((dataset.pixels(index)[1] == VOID).all() for index in range(len(dataset))):
            raise CourseError(
                f"All pixels of the {dataset.split} split of {dataset.root} are void; label some of them."
            )


def _logits(model: nn.Module, image: Tensor, precision: str) -> Tensor:
    device = next(model.parameters()).device
    with in_mode(model, training=False), torch.inference_mode(), autocast(device, precision):
        return model(image.to(device))
