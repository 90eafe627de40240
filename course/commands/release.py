"""`course release`."""

import argparse
from pathlib import Path

from core.files import read_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="a new or empty folder")
    others = parser.add_mutually_exclusive_group()
    others.add_argument(
        "--instructors",
        action="store_true",
        help="instead, the solved notebooks with hidden tests, points and rubrics: never hand them out",
    )
    others.add_argument(
        "--students",
        type=Path,
        metavar="FILE",
        help="instead, a version for each student, with a seed from the name; a name on each line of FILE",
    )


def run(options: argparse.Namespace) -> None:
    from course.teaching.release import release, release_variants, write_instructors_version  # students have none

    if options.instructors:
        write_instructors_version(options.folder)
        print(f"The instructors' version is in {options.folder}")
    elif options.students:
        students = [line.strip() for line in read_text(options.students).splitlines() if line.strip()]
        release_variants(options.folder, students)
        print(f"The blank versions of {len(students)} students are in {options.folder}")
    else:
        release(options.folder)
        print(f"The blank version is in {options.folder}")
