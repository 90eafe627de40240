"""Draws photographs, their label maps and what trained networks make of them, side by side: `course sheet`."""

import argparse
from pathlib import Path

from core.devices import best_device
from core.errors import CourseError
from core.files import check_writable, write_atomically
from course.notebooks.parameters import known_or_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "weights", nargs="+", metavar="TITLE=FILE", help="such as FCN-8s=runs/cmp/04_fcn8s/best.safetensors"
    )
    parser.add_argument("--data", default="cmp", help='"cmp" (default), "builtin", "voc", or a folder')
    parser.add_argument("--split", default="val", choices=("train", "val", "test"), help="default: val")
    parser.add_argument("--scale", type=float, default=0.5, help="factor on the sides (default: 0.5)")
    parser.add_argument("--images", type=int, nargs="+", default=[0, 1, 2], help="which, from 0 (default: 0 1 2)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the picture to write")


def run(options: argparse.Namespace) -> None:
    from core.plotting import png  # not above: what can be wrong with the arguments is said at once
    from fcn.data_sets import SPLITS, load_splits
    from fcn.models import from_weights
    from fcn.plots import predicted_sheet

    check_writable(options.out.parent)
    pairs = [text.partition("=") for text in options.weights]
    for title, equals, file in pairs:
        if not (title and equals and file):
            raise CourseError(
                f'"{title}{equals}{file}" names no network; give TITLE=FILE, such as FCN-8s=best.safetensors.'
            )
    dataset = load_splits(known_or_folder("data", options.data, ("builtin", "cmp", "voc")), options.scale)[
        SPLITS.index(options.split)
    ]
    outside = [index for index in options.images if not 0 <= index < len(dataset)]
    if outside:
        raise CourseError(f"There is no image {outside[0]}; the {options.split} split has 0 to {len(dataset) - 1}.")
    models = {title: from_weights(file).to(best_device()) for title, _, file in pairs}
    figure = predicted_sheet(models, dataset, options.images)
    with write_atomically(options.out) as path:
        path.write_bytes(png(figure))
    print(options.out)
