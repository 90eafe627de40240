"""`course release`."""

import argparse

from course.release import release


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="a new or empty folder")


def run(options: argparse.Namespace) -> None:
    release(options.folder)
    print(f"The blank version is in {options.folder}")
