"""`course report`."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="the run's folder, such as runs/builtin")


def run(options: argparse.Namespace) -> None:
    show_report(options.folder)


def show_report(folder: str | Path) -> None:
    """Writes the report and prints the claims table."""
    from course import report  # not above: a run must not wait for what only its end needs
    from course.claims.page import as_text

    claims = report.write_report(folder)
    print(f"Report: {Path(folder) / 'report.html'}\n")
    print(as_text(claims))
