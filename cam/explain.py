"""Names what a classifier sees in a photograph, and draws the class activation map."""

import argparse
from pathlib import Path

from cam.classifiers import explain, load_classifier
from cam.overlay import overlay_figure
from cam.view import check_shows_something
from core.devices import best_device
from core.errors import CourseError
from core.files import check_writable, write_atomically
from core.photographs import read_photograph

SHORTER = 512  # pixels, at least, that are kept of a large photograph: more than twice what a network sees of it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photograph", type=Path, metavar="PHOTO")
    parser.add_argument("--out", type=Path, help="the picture to write, such as map.png; without it none is drawn")
    parser.add_argument("--class", dest="name", help="class to explain; the most probable one by default")
    parser.add_argument("--layer", help="Grad-CAM at this layer instead of CAM")
    parser.add_argument(
        "--weights",
        default="efficientnet",
        help="efficientnet (default, needs no network), imagenet (ResNet-18, fetched), small, or a file for ResNet-18",
    )


def run(options: argparse.Namespace) -> None:
    """Prints the class, its probability and where the weights come from; writes the map if a file is named."""
    photograph = read_photograph(options.photograph, SHORTER)
    check_shows_something(photograph, options.photograph)
    if options.out is not None:
        if options.out.resolve() == options.photograph.resolve():
            raise CourseError(f"--out is the photograph {options.photograph} itself; name another file.")
        check_writable(options.out.parent)
    classifier = load_classifier(options.weights)
    classifier.model.to(best_device())
    explanation = explain(classifier, photograph, options.name, options.layer)
    caption = f"{explanation.name}, {explanation.probability:.2f}"
    if options.out is not None:
        figure = overlay_figure(photograph, explanation.heat, caption)
        if options.out.suffix.lstrip(".").lower() not in figure.canvas.get_supported_filetypes():
            raise CourseError(f"Cannot write {options.out}: not a kind of picture; name a .png file.")
        with write_atomically(options.out) as path:
            figure.savefig(path, dpi=150)
    print(f"{caption} ({classifier.source})" + (f": {options.out}" if options.out is not None else ""))
