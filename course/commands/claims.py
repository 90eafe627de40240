"""`course claims`."""

import argparse
from pathlib import Path

from core.files import ROOT, write_atomically
from course.reporting.claims.page import page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "claims.md", help="default: docs/claims.md")


def run(options: argparse.Namespace) -> None:
    with write_atomically(options.out) as path:
        path.write_text(page(), encoding="utf-8")
    print(options.out)
