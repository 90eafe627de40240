"""`course store`."""

import argparse

from course.notebooks import source as notebooks
from course.running.store import store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="none: the whole course")


def run(options: argparse.Namespace) -> None:
    for path in notebooks.choose(options.notebooks):
        store(path)
        print(path, flush=True)
