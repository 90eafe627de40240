"""The one command line of the course: `course COMMAND …`, or `python -m course COMMAND …`.

Each command imports its work when it is asked for, so that none waits for what another one needs.
"""

import argparse
import functools
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.command import finish, jobs, words
from core.errors import unknown_name

INSTRUCTORS = ("release", "grade", "slides")  # a student's copy has no course/teaching/


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status (see `core.command.finish`)."""
    return finish(lambda: _main(words(arguments)))


def _main(given: Sequence[str]) -> None:
    name = given[0] if given else "--help"
    if name in ("-h", "--help"):
        print("usage: course COMMAND …    (course COMMAND --help says what it takes)\n")
        print("\n".join(f"  {name:18} {command.about}" for name, command in present().items()))
    elif name not in present():
        raise unknown_name("command", name, present())
    else:
        COMMANDS[name].run(parser_of(name).parse_args(given[1:]))


def present() -> dict[str, "Command"]:
    """The commands that there are; a student's copy has none for instructors."""
    hidden = () if (Path(__file__).parent / "teaching").is_dir() else INSTRUCTORS
    return {name: command for name, command in COMMANDS.items() if name not in hidden}


def parser_of(name: str) -> argparse.ArgumentParser:
    """What reads a command's arguments."""
    about = COMMANDS[name].about
    parser = argparse.ArgumentParser(prog=f"course {name}", description=about[0].upper() + about[1:])
    COMMANDS[name].arguments(parser)
    return parser


def _notebooks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="such as 04_fcn8s; none: the whole course")


def _preset(parser: argparse.ArgumentParser) -> None:
    from course.notebooks.presets import QUICK, names

    about = f"parameters from presets/NAME: {', '.join(names())}; -p and --data win over them"
    parser.add_argument("--preset", default=QUICK, metavar="NAME", help=about)


def _parameters(parser: argparse.ArgumentParser, value: str, about: str) -> None:
    parser.add_argument(
        "-p", nargs=2, action="append", default=[], dest="parameters", metavar=("NAME", value), help=about
    )


def _jobs(parser: argparse.ArgumentParser, what: str) -> None:
    about = f"{what} at a time (default: as many as cores and memory are for; 1: one after another)"
    parser.add_argument("--jobs", type=jobs, metavar="N", help=about)


def _nothing(parser: argparse.ArgumentParser) -> None:
    """For a command without arguments."""


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    _notebooks(parser)
    _preset(parser)
    _parameters(parser, "VALUE", "set a parameter of the notebooks that have it; may be repeated")
    parser.add_argument(
        "--data", help="builtin, cmp, or a folder with base/ and extended/; for 10, 11 also voc or one with VOCdevkit"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="the run's folder (default: in runs/, named after preset, data and each -p, as runs/builtin or "
        "runs/builtin-epochs=20-seed=1)",
    )
    _jobs(parser, "notebooks")


def _run(options: argparse.Namespace) -> None:
    from course.running.run import run

    folder = run(options.notebooks, options.parameters, options.data, options.out, options.preset, options.jobs)
    _show_report([folder])


def _sweep_arguments(parser: argparse.ArgumentParser) -> None:
    _notebooks(parser)
    _preset(parser)
    _parameters(parser, "VALUES", "a parameter and its values, such as 0..4 or 1e-3,3e-3; may be repeated")
    _jobs(parser, "notebooks")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="use the workers of this scheduler of Dask, such as tcp://host:8786"
    )
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="the sweep's folder; what is whole in it is not run again"
    )


def _sweep(options: argparse.Namespace) -> None:
    from course.running.sweep import sweep

    given = options.notebooks, options.parameters, options.out, options.preset, options.jobs, options.scheduler
    folder = sweep(*given)
    print(f"All runs are in {folder}; for tables over them: course report {folder}")


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    about = "a run's folder, such as runs/builtin, or one of several runs, as a sweep leaves it; the report goes into "
    parser.add_argument("folders", nargs="+", metavar="DIR", help=f"{about}the first")


def _report(options: argparse.Namespace) -> None:
    _show_report(options.folders)


def _show_report(folders: Sequence[str | Path]) -> None:
    from course.reporting.report import write_report

    summary = write_report(*folders)
    print(f"Report: {Path(folders[0]) / 'report.html'}\nTable:  {Path(folders[0]) / 'results.csv'}\n\n{summary}")


def _pages(options: argparse.Namespace) -> None:
    from core.files import ROOT, write_atomically
    from course.reporting.pages import PAGES, page

    for name in PAGES:
        with write_atomically(ROOT / "docs" / name) as path:
            path.write_text(page(name), encoding="utf-8")
        print(ROOT / "docs" / name)


def _release_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="a new or empty folder")
    others = parser.add_mutually_exclusive_group()
    about = "instead, the solved notebooks with hidden tests, points and rubrics: never hand them out"
    others.add_argument("--instructors", action="store_true", help=about)
    about = "instead, a version for each student, with a seed from the name; a name on each line of FILE"
    others.add_argument("--students", type=Path, metavar="FILE", help=about)


def _release(options: argparse.Namespace) -> None:
    from core.files import read_text
    from course.teaching.release import release, release_variants, write_instructors_version

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


def _grade_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("submissions", metavar="SUBMISSIONS", help="holds a folder or zip for each student")
    parser.add_argument("--out", metavar="DIR", required=True, help="a new folder, or that of an earlier grading")
    _jobs(parser, "students")
    parser.add_argument("--minutes", type=float, default=10, metavar="M", help="for a notebook (default: 10)")
    parser.add_argument("--memory", type=float, default=8, metavar="GB", help="for a notebook's process (default: 8)")


def _grade(options: argparse.Namespace) -> None:
    from course.running.jobs import default_jobs
    from course.teaching.grading.grade import grade

    summary = grade(options.submissions, options.out, options.jobs or default_jobs(), options.minutes, options.memory)
    for row in summary.rows:
        points = f"{row.automatic:g} of {row.automatic_max:g} automatic points" if row.notebook else ""
        print("  ".join(filter(None, [row.student, row.notebook, points, row.remark])))
    print(f"\n{summary.table}\n{summary.page}")


def _slides_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="DIR", help="where the pages go")
    _notebooks(parser)
    parser.add_argument("--solutions", action="store_true", help="show solutions too, each after a click")


def _slides(options: argparse.Namespace) -> None:
    from course.teaching.slides import write_slides

    write_slides(options.notebooks, options.out, options.solutions)


def _store(options: argparse.Namespace) -> None:
    from course.running.store import store

    store(options.notebooks)


def _data_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="cmp, voc, sbd or tinyimagenet")
    parser.add_argument("--into", metavar="DIR", help="default: dataset/NAME, where the notebooks look")
    parser.add_argument("--year", default="2012", help="of VOC: 2007 to 2012 (default: 2012)")


def _data(options: argparse.Namespace) -> None:
    from core.errors import check_name
    from fcn import fetch

    by_name = {
        "cmp": fetch.fetch_cmp,
        "voc": functools.partial(fetch.fetch_voc, year=options.year),
        "sbd": fetch.fetch_sbd,
        "tinyimagenet": fetch.fetch_tiny_imagenet,
    }
    check_name("data set to fetch", options.name, by_name)
    by_name[options.name](options.into)


def _sheet_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("weights", nargs="+", metavar="TITLE=FILE", help="as FCN-8s=runs/cmp/04_fcn8s/best.safetensors")
    parser.add_argument("--data", default="cmp", help='"cmp" (default), "builtin", "voc", or a folder')
    parser.add_argument("--split", default="val", choices=("train", "val", "test"), help="default: val")
    parser.add_argument("--scale", type=float, default=0.5, help="factor on the sides (default: 0.5)")
    parser.add_argument("--images", type=int, nargs="+", default=[0, 1, 2], help="which, from 0 (default: 0 1 2)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the picture to write")


def _sheet(options: argparse.Namespace) -> None:
    from course.reporting.sheet import write_sheet

    write_sheet(options.weights, options.data, options.split, options.scale, options.images, options.out)
    print(options.out)


@dataclass(frozen=True)
class Command:
    """A line for the list of commands, what adds the arguments to a parser, and what runs with them."""

    about: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None]


def _module(name: str, about: str) -> Command:
    """A command that a module holds: its `add_arguments(parser)`, and its `run(options)`."""
    return Command(
        about,
        lambda parser: importlib.import_module(name).add_arguments(parser),
        lambda options: importlib.import_module(name).run(options),
    )


COMMANDS = {
    "run": Command("run notebooks unattended, report, and print the claims table", _run_arguments, _run),
    "sweep": Command("run notebooks with every combination of parameters' values, on Dask", _sweep_arguments, _sweep),
    "report": Command("report on one or several runs, and print what came out", _report_arguments, _report),
    "pages": Command("write docs/results.md and docs/claims.md from the committed records", _nothing, _pages),
    "release": Command("write the blank version for students into a new folder", _release_arguments, _release),
    "grade": Command("grade a folder of submissions, with feedback and grades.csv", _grade_arguments, _grade),
    "slides": Command("make slides for a lecture from notebooks and their outputs", _slides_arguments, _slides),
    "store": Command("run notebooks as they stand and keep the outputs in them, for nbval", _notebooks, _store),
    "data": Command("fetch a data set and verify it: CMP Facade, VOC, SBD, Tiny ImageNet", _data_arguments, _data),
    "train": _module("course.train", "train a network without a notebook"),
    "segment": _module("fcn.segment", "segment photographs with a trained network"),
    "sheet": Command("draw label maps beside what trained networks make of them", _sheet_arguments, _sheet),
    "explain": _module("cam.explain", "name what is in a photograph and draw its class activation map"),
    "residual": _module("residual.__main__", "read the gradients of plain and residual networks"),
    "digits": _module("fcn.digits.__main__", "train or test a network that segments digits"),
}
