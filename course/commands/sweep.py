"""`course sweep`."""

import argparse

from course.notebooks import presets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="such as 04_fcn8s; none: the whole course")
    parser.add_argument(
        "-p",
        nargs=2,
        action="append",
        default=[],
        dest="parameters",
        metavar=("NAME", "VALUES"),
        help="a parameter and its values, such as 0..4 or 1e-3,3e-3; may be repeated",
    )
    parser.add_argument(
        "--preset",
        default=presets.QUICK,
        metavar="NAME",
        help=f"parameters from presets/NAME: {', '.join(presets.names())}; -p wins over them",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="notebooks that run at a time on this machine (default: as many as cores and memory are for)",
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="use the workers of this scheduler of Dask, such as tcp://host:8786"
    )
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="the sweep's folder; what is whole in it is not run again"
    )
    parser.add_argument("--yes", action="store_true", help="begin also more than 1,000 runs of notebooks")


def run(options: argparse.Namespace) -> None:
    from course.running.sweep.run import sweep  # not above: --help needs no notebooks

    folder = sweep(
        options.notebooks,
        options.parameters,
        options.out,
        options.preset,
        options.jobs,
        options.scheduler,
        options.yes,
    )
    print(f"All runs are in {folder}; for tables over them: course report {folder}")
