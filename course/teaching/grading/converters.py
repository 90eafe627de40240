"""nbgrader's converters, set up for this course: one assignment for each notebook, all in one folder.

The folder is an ordinary course of nbgrader's (source/, release/, submitted/, autograded/, feedback/, gradebook.db), so
that its own commands, and its pages for grading by hand, work in it.
"""

import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from traitlets import Unicode
from traitlets.config import Config

from core.command import Failed
from core.errors import CourseError
from course.notebooks.blanks import blank

try:
    from nbgrader import preprocessors
    from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
    from nbgrader.converters.base import BaseConverter
    from nbgrader.coursedir import CourseDirectory
except ImportError as error:
    raise CourseError(
        'This needs nbgrader; install it: python -m pip install -c constraints.txt -e ".[grade]"'
    ) from error


class EmptyBlanks(preprocessors.NbGraderPreprocessor):
    """Empties the blanks as a release does, and takes away what only instructors may read."""

    def preprocess(self, nb: nbformat.NotebookNode, resources: dict) -> tuple[nbformat.NotebookNode, dict]:
        nb = blank(nb, resources["nbgrader"]["notebook"])
        for cell in nb.cells:
            cell.metadata.pop("course", None)
        return nb, resources


class TakeExecuted(preprocessors.NbGraderPreprocessor):
    """Takes a notebook that was executed elsewhere, instead of executing it.

    Attributes:
        text: of the executed notebook.
    """

    text = Unicode().tag(config=True)

    def preprocess(self, nb: nbformat.NotebookNode, resources: dict) -> tuple[nbformat.NotebookNode, dict]:
        return nbformat.reads(self.text, as_version=4), resources


def generate(folder: Path, names: Sequence[str], database: bool) -> None:
    """Makes release/ from source/ for some notebooks, and lists their cells in the gradebook if there is to be one."""
    for name in names:
        config = _config(folder, name)
        config.GenerateAssignment.no_database = not database
        config.GenerateAssignment.force = True
        config.GenerateAssignment.preprocessors = [
            preprocessors.LockCells,
            EmptyBlanks,
            preprocessors.ClearMarkScheme,  # before the checksums by which an unchanged answer is known
            preprocessors.ClearOutput,
            preprocessors.CheckCellMetadata,
            preprocessors.ComputeChecksums,
            *([preprocessors.SaveCells] if database else []),
            preprocessors.ClearHiddenTests,
            preprocessors.ComputeChecksums,
            preprocessors.CheckCellMetadata,
        ]
        config.ClearMarkScheme.enforce_metadata = False  # written answers have one too, not only nbgrader's tasks
        _convert(GenerateAssignment, config, f"The blank version of {name} can't be made")


def score(folder: Path, student: str, name: str, executed: str) -> str:
    """Writes the points of an executed notebook into the gradebook, and the notebook itself into autograded/.

    Args:
        executed: the notebook; empty if its points are known, and only its page of feedback is to be made anew.

    Returns:
        What went wrong, in one sentence, or nothing.
    """
    try:
        if executed:
            _autograde(folder, student, name, executed)
        _write_feedback(folder, student, name)
    except Failed as error:
        return f"{error}."
    return ""


def _autograde(folder: Path, student: str, name: str, executed: str) -> None:
    config = _config(folder, name, student)
    config.Autograde.force = True
    config.Autograde.permissions = 644
    config.Autograde.autograde_preprocessors = [
        TakeExecuted if each is preprocessors.Execute else each
        for each in Autograde.autograde_preprocessors.default_args[0]
    ]
    config.TakeExecuted.text = executed
    _convert(Autograde, config, "nbgrader can't grade it")


def _write_feedback(folder: Path, student: str, name: str) -> None:
    config = _config(folder, name, student)
    config.GenerateFeedback.force = True
    _convert(GenerateFeedback, config, "nbgrader can't write its feedback")


def _config(folder: Path, name: str, student: str | None = None) -> Config:
    config = Config()
    config.CourseDirectory.root = str(folder)
    config.CourseDirectory.assignment_id = name
    config.CourseDirectory.notebook_id = name
    config.CourseDirectory.db_url = f"sqlite:///{folder / 'gradebook.db'}"
    if student:
        config.CourseDirectory.student_id = student
    return config


def _convert(converter: type[BaseConverter], config: Config, problem: str) -> None:
    log, kept = logging.getLogger("traitlets"), io.StringIO()
    handler = logging.StreamHandler(kept)
    log.addHandler(handler)
    log.propagate = False
    commands = str(Path(sys.executable).parent)
    if commands not in os.environ.get("PATH", "").split(os.pathsep):  # it calls alembic by name
        os.environ["PATH"] = os.pathsep.join([commands, os.environ.get("PATH", "")])
    try:
        converter(coursedir=CourseDirectory(config=config), config=config).start()
    except (Exception, SystemExit) as error:  # whatever nbconvert raises for what is odd in a notebook
        if isinstance(error, CourseError):
            raise
        reason = [line for line in kept.getvalue().splitlines() if ": " in line and not line.startswith(" ")]
        raise Failed(f"{problem}: {reason[-1] if reason else error}") from error
    finally:
        log.removeHandler(handler)
