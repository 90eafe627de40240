"""`course release`."""

import argparse

from course.release import release, write_instructors_version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="a new or empty folder")
    parser.add_argument(
        "--instructors",
        action="store_true",
        help="instead, the solved notebooks with hidden tests, points and rubrics: never hand them out",
    )


def run(options: argparse.Namespace) -> None:
    if options.instructors:
        write_instructors_version(options.folder)
        print(f"The instructors' version is in {options.folder}")
    else:
        release(options.folder)
        print(f"The blank version is in {options.folder}")
