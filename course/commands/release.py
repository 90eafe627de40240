"""`course release`."""

import argparse
from pathlib import Path

from core.errors import CourseError
from course.teaching.release import release, release_variants, write_instructors_version


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
    if options.instructors:
        write_instructors_version(options.folder)
        print(f"The instructors' version is in {options.folder}")
    elif options.students:
        students = _names(options.students)
        release_variants(options.folder, students)
        print(f"The blank versions of {len(students)} students are in {options.folder}")
    else:
        release(options.folder)
        print(f"The blank version is in {options.folder}")


def _names(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"Cannot read {file}; give a text file with a student's name on each line.") from error
    return [line.strip() for line in lines if line.strip()]
