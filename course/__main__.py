"""The command line: python -m course run | release | report | data | store."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import CourseError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status.

    0: done; 1: a notebook failed; 2: the user can mend it; 130: interrupted.
    """
    options = _parser().parse_args(arguments)
    try:
        return options.command(options) or 0
    except CourseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: Interrupted; nothing half-written was left, so simply run it again.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m course", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run notebooks unattended, report, and print the claims table")
    run.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="such as 04_fcn8s; none: the whole course")
    run.add_argument(
        "-p",
        nargs=2,
        action="append",
        default=[],
        dest="parameters",
        metavar=("NAME", "VALUE"),
        help="set a parameter of the notebooks that have it; may be repeated",
    )
    run.add_argument(
        "--data",
        metavar="DIR",
        help="photographs: a folder with base/ and extended/; for 10, 11 also voc or one with VOCdevkit",
    )
    run.add_argument("--out", metavar="DIR", help="the run's folder (default: runs/ and the data's name)")
    run.set_defaults(command=_run)

    release = commands.add_parser("release", help="write the blank version for students into a new folder")
    release.add_argument("folder", metavar="DIR")
    release.set_defaults(command=_release)

    report = commands.add_parser("report", help="write report.html about a run, and print the claims table")
    report.add_argument("folder", metavar="DIR", help="the run's folder, such as runs/builtin")
    report.set_defaults(command=_report)

    data = commands.add_parser("data", help="fetch a data set and verify it: CMP Facade, PASCAL VOC, SBD")
    data.add_argument("name", choices=["cmp", "voc", "sbd"])
    data.add_argument("--into", metavar="DIR", help="default: dataset/NAME, where the notebooks look")
    data.add_argument("--year", default="2012", help="of VOC: 2007 to 2012 (default: 2012)")
    data.set_defaults(command=_data)

    store = commands.add_parser("store", help="run notebooks as they stand and keep the outputs in them, for nbval")
    store.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="none: the whole course")
    store.set_defaults(command=_store)
    return parser


# Each command imports its module itself, so that none waits for what another one needs.


def _run(options: argparse.Namespace) -> int:
    from course import run

    try:
        out = run.run(options.notebooks, options.parameters, options.data, options.out)
    except run.NotebookFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except run.Interrupted as error:
        print(f"error: {error}", file=sys.stderr)
        return 130
    _show_report(out)
    return 0


def _report(options: argparse.Namespace) -> None:
    _show_report(options.folder)


def _show_report(folder: str | Path) -> None:
    from course import report
    from course.claims import measure as claims

    results, findings = report.write_report(folder)
    print(f"Report: {Path(folder) / 'report.html'}\n")
    print(claims.table(findings, results))


def _store(options: argparse.Namespace) -> None:
    from course import notebooks, store

    for path in notebooks.choose(options.notebooks):
        store.store(path)
        print(path)


def _release(options: argparse.Namespace) -> None:
    from course import release

    release.release(options.folder)
    print(f"The blank version is in {options.folder}")


def _data(options: argparse.Namespace) -> None:
    if options.name == "cmp":
        from course import download

        download.fetch_cmp(options.into)
    else:
        from course import download_voc

        if options.name == "voc":
            download_voc.fetch_voc(options.into, options.year)
        else:
            download_voc.fetch_sbd(options.into)


if __name__ == "__main__":
    sys.exit(main())
