"""`course pages`."""

import argparse

from core.files import ROOT, write_atomically


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: the pages have their places."""


def run(options: argparse.Namespace) -> None:
    from course.reporting.pages import PAGES, page  # not above: it reads all records

    for name in PAGES:
        with write_atomically(ROOT / "docs" / name) as path:
            path.write_text(page(name), encoding="utf-8")
        print(ROOT / "docs" / name)
