"""Photographs, their label maps and what trained networks make of them, side by side."""

from collections.abc import Sequence
from pathlib import Path

from core.devices import best_device
from core.errors import CourseError
from core.files import check_writable, write_atomically
from core.plotting import png
from course.notebooks.parameters import known_or_folder
from fcn.data_sets import SPLITS, load_splits
from fcn.models import from_weights
from fcn.plots import predicted_sheet


def write_sheet(weights: Sequence[str], data: str, split: str, scale: float, images: Sequence[int], out: Path) -> None:
    """Writes the picture.

    Args:
        weights: one network each, as TITLE=FILE.
        data: "builtin", "cmp", "voc", or a folder.
        split: "train", "val" or "test".
        scale: factor on the photographs' sides.
        images: which of the split, from 0.

    Raises:
        CourseError: one of these can't be.
    """
    check_writable(out.parent)
    pairs = [text.partition("=") for text in weights]
    for text, pair in zip(weights, pairs):
        if not all(pair):
            raise CourseError(f'"{text}" names no network; give TITLE=FILE, such as FCN-8s=best.safetensors.')
    splits = load_splits(known_or_folder("data", data, ("builtin", "cmp", "voc")), scale)
    dataset = splits[SPLITS.index(split)]
    outside = [index for index in images if not 0 <= index < len(dataset)]
    if outside:
        raise CourseError(f"There is no image {outside[0]}; the {split} split has 0 to {len(dataset) - 1}.")
    models = {title: from_weights(file).to(best_device()) for title, _, file in pairs}
    figure = predicted_sheet(models, dataset, images)
    with write_atomically(out) as path:
        path.write_bytes(png(figure))
