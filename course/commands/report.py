"""`course report`."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders",
        nargs="+",
        metavar="DIR",
        help="a run's folder, such as runs/builtin, or one of several runs, as a sweep leaves it; the report goes into "
        "the first",
    )


def run(options: argparse.Namespace) -> None:
    show_report(*options.folders)


def show_report(*folders: str | Path) -> None:
    """Writes the report and the table of results, and prints what came out."""
    from course.reporting import report  # not above: a run must not wait for what only its end needs

    summary = report.write_report(*folders)
    print(f"Report: {Path(folders[0]) / 'report.html'}\nTable:  {Path(folders[0]) / 'results.csv'}\n\n{summary}")
