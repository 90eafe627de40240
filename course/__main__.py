"""The one command line of the course: `course COMMAND …`, or `python -m course COMMAND …`."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from core.command import MENDABLE, finish
from core.errors import unknown_name

# Each command is a module with `add_arguments(parser)` and `run(options)`; it is imported when it is asked for, so that
# none waits for what another one needs.
COMMANDS = {
    "run": ("course.commands.run", "run notebooks unattended, report, and print the claims table"),
    "sweep": ("course.commands.sweep", "run notebooks with every combination of parameters' values, on Dask"),
    "report": (
        "course.commands.report",
        "write report.html and results.csv about one or several runs, and print what came out",
    ),
    "pages": ("course.commands.pages", "write docs/results.md and docs/claims.md from the committed records"),
    "release": ("course.commands.release", "write the blank version for students into a new folder"),
    "grade": ("course.commands.grade", "grade a folder of submissions with nbgrader, with feedback and grades.csv"),
    "slides": ("course.commands.slides", "make slides for a lecture from notebooks and their stored outputs"),
    "store": ("course.commands.store", "run notebooks as they stand and keep the outputs in them, for nbval"),
    "data": ("course.commands.data", "fetch a data set and verify it: CMP Facade, PASCAL VOC, SBD, Tiny ImageNet"),
    "train": ("course.train", "train a network without a notebook"),
    "pretrain": ("course.pretrain", "train the course's small weights, those of trunks on Tiny ImageNet"),
    "segment": ("fcn.segment", "segment photographs with a trained network"),
    "sheet": ("course.commands.sheet", "draw label maps beside what trained networks make of the photographs"),
    "explain": ("cam.explain", "name what is in a photograph and draw its class activation map"),
    "localization": ("cam.experiment", "score the maps of the small ResNet-18s against masks"),
    "pointing": ("cam.voc_experiment", "score class activation maps on VOC 2007's photographs against boxes"),
    "residual": ("residual.__main__", "train plain and residual networks, or read their gradients"),
    "digits": ("fcn.digits.__main__", "train or test a network that segments digits"),
    "digits-experiment": ("fcn.digits.experiment", "the digit networks' whole experiment, over seeds"),
}


INSTRUCTORS = ("release", "grade", "slides")  # a student's copy has no course/teaching/


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status (see `core.command.finish`)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    name = words[0] if words else "--help"
    if name in ("-h", "--help"):
        return finish(lambda: print(_help()))
    if name not in _present():
        print(f"error: {unknown_name('command', name, _present())}", file=sys.stderr)
        return MENDABLE
    return finish(lambda: _run(name, words[1:]))


def _present() -> dict[str, tuple[str, str]]:
    """The commands that there are; a student's copy has none for instructors."""
    hidden = () if (Path(__file__).parent / "teaching").is_dir() else INSTRUCTORS
    return {name: entry for name, entry in COMMANDS.items() if name not in hidden}


def _run(name: str, words: Sequence[str]) -> None:
    module = importlib.import_module(COMMANDS[name][0])
    parser = argparse.ArgumentParser(prog=f"course {name}", description=COMMANDS[name][1].capitalize())
    module.add_arguments(parser)
    module.run(parser.parse_args(words))


def _help() -> str:
    lines = ["usage: course COMMAND …    (course COMMAND --help says what it takes)", ""]
    return "\n".join([*lines, *(f"  {name:18} {text}" for name, (_, text) in _present().items())])


if __name__ == "__main__":
    sys.exit(main())
