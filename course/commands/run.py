"""`course run`."""

import argparse

from course.commands.report import show_report
from course.notebooks import presets
from course.running import run as runner


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="such as 04_fcn8s; none: the whole course")
    parser.add_argument(
        "--preset",
        default=presets.QUICK,
        metavar="NAME",
        help=f"parameters from presets/NAME: {', '.join(presets.names())}; -p and --data win over them",
    )
    parser.add_argument(
        "-p",
        nargs=2,
        action="append",
        default=[],
        dest="parameters",
        metavar=("NAME", "VALUE"),
        help="set a parameter of the notebooks that have it; may be repeated",
    )
    parser.add_argument(
        "--data", help="builtin, cmp, or a folder with base/ and extended/; for 10, 11 also voc or one with VOCdevkit"
    )
    parser.add_argument(
        "--out", metavar="DIR", help="the run's folder (default: in runs/, named after the data or preset)"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="notebooks that run at a time (default: as many as cores and memory are for; 1: one after another)",
    )


def run(options: argparse.Namespace) -> None:
    folder = runner.run(options.notebooks, options.parameters, options.data, options.out, options.preset, options.jobs)
    show_report(folder)
