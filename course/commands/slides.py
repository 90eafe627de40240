"""Makes slides from notebooks and their stored outputs: `course slides DIR [NOTEBOOK…]`."""

import argparse
from pathlib import Path

from core.files import check_writable, write_atomically
from course.notebooks import source as notebooks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="DIR", help="where the pages go")
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="such as 06_cam (default: all)")
    parser.add_argument("--solutions", action="store_true", help="show solutions too, each after a click")


def run(options: argparse.Namespace) -> None:
    from course.teaching.slides import as_slides  # not above: nbconvert takes a second to import

    paths = notebooks.choose(options.notebooks)
    check_writable(options.out)
    for path in paths:
        page = as_slides(notebooks.read(path), path.stem, options.solutions)
        with write_atomically(options.out / f"{path.stem}.slides.html") as file:
            file.write_text(page, encoding="utf-8")
        print(options.out / f"{path.stem}.slides.html")
