"""`course check`."""

import argparse
from pathlib import Path

from course.bands import BANDS, check, write_bands


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", nargs="+", help="a run's folder, such as runs/builtin")
    parser.add_argument("--since", type=Path, help="a file; records older than it don't count")
    parser.add_argument(
        "--record", action="store_true", help=f"make the bands in {BANDS.name} anew, from all the folders"
    )


def run(options: argparse.Namespace) -> None:
    if options.record:
        write_bands(options.folder)
        print(BANDS)
    else:
        for folder in options.folder:
            print("\n".join(check(folder, options.since)))
