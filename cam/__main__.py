"""Draws the class activation map of a photograph: `python -m cam photo.jpg --out map.png`."""

import argparse
import sys
from pathlib import Path

from cam.classifiers import explain, load_classifier
from cam.overlay import overlay_figure
from cam.view import check_shows_something
from core.errors import CourseError
from core.files import write_atomically
from core.photographs import read_photograph


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m cam", description=__doc__)
    parser.add_argument("photograph", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="the picture to write, such as map.png")
    parser.add_argument("--class", dest="name", help="class to explain; the most probable one by default")
    parser.add_argument("--layer", help="Grad-CAM at this layer instead of CAM")
    parser.add_argument("--weights", default="auto", help="auto, imagenet, small, or a file of weights")
    options = parser.parse_args(arguments)
    try:
        photograph = read_photograph(options.photograph)
        check_shows_something(photograph, options.photograph)
        classifier = load_classifier(options.weights)
        explanation = explain(classifier, photograph, options.name, options.layer)
        caption = f"{explanation.name}, {explanation.probability:.2f}"
        figure = overlay_figure(photograph, explanation.heat, caption)
        if options.out.suffix.lstrip(".").lower() not in figure.canvas.get_supported_filetypes():
            raise CourseError(f"Cannot write {options.out}: not a kind of picture; name a .png file.")
        with write_atomically(options.out) as path:
            figure.savefig(path, dpi=150)
    except CourseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{caption} ({classifier.source}): {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
