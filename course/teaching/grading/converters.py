"""nbgrader's converters, set up for this course: one assignment for each notebook, all in one folder.

The folder is an ordinary course of nbgrader's (source/, release/, submitted/, autograded/, feedback/, gradebook.db), so
that its own commands, and its pages for grading by hand, work in it.
"""

import io
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from traitlets import Float, Unicode
from traitlets.config import Config

from core.command import Failed
from core.errors import CourseError
from course.notebooks.blanks import blank
from course.running.kernels import environment, own_kernel

try:
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from nbgrader import preprocessors
    from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
    from nbgrader.converters.base import BaseConverter, NbGraderException
    from nbgrader.coursedir import CourseDirectory
except ImportError as error:
    raise CourseError(
        'This needs nbgrader; install it: python -m pip install -c constraints.txt -e ".[grade]"'
    ) from error


class EmptyBlanks(preprocessors.NbGraderPreprocessor):
    """Empties the blanks as `course.notebooks.blanks` does, and takes away what only instructors may read."""

    def preprocess(self, nb: nbformat.NotebookNode, resources: dict) -> tuple[nbformat.NotebookNode, dict]:
        nb = blank(nb, resources["nbgrader"]["notebook"])
        for cell in nb.cells:
            cell.metadata.pop("course", None)
        return nb, resources


class ExecuteApart(preprocessors.Execute):
    """Executes a submission with the modules of the blank version, and goes on after whatever it does.

    Attributes:
        modules: the folder of the blank version.
        seconds: for the whole notebook; a cell that would take longer is stopped.
    """

    modules = Unicode().tag(config=True)
    seconds = Float().tag(config=True)
    skip_cells_with_tag = "never"  # no test is skipped because of a tag
    iopub_timeout = 60  # seconds; a busy machine is no reason to give up

    def preprocess(
        self, nb: nbformat.NotebookNode, resources: dict, **others: object
    ) -> tuple[nbformat.NotebookNode, dict]:
        folder = Path(resources["metadata"]["path"])
        (folder / f"{resources['nbgrader']['notebook']}.ipynb").unlink()  # it holds the hidden tests
        ends = time.monotonic() + self.seconds
        self.timeout_func = lambda cell: max(1, int(ends - time.monotonic()))
        self.reached = 0
        try:
            with own_kernel(), environment(PYTHONPATH=self.modules):
                return super().preprocess(nb, resources, **others)
        except (DeadKernelError, CellTimeoutError):
            for cell in nb.cells[self.reached :]:
                if cell.cell_type == "code":
                    cell.outputs = [nbformat.v4.new_output("error", ename="KernelDied", evalue=DIED, traceback=[DIED])]
            return nb, resources

    def preprocess_cell(self, cell: nbformat.NotebookNode, resources: dict, index: int) -> tuple:
        self.reached = index
        return super().preprocess_cell(cell, resources, index)


DIED = "Python ended, or answered no more, perhaps for lack of memory; this cell and those below it were not run."


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


def autograde(workplace: Path, gradebook: Path, student: str, name: str, modules: Path, seconds: float) -> Path:
    """Runs a submission in submitted/ of a workplace and writes its points into the gradebook.

    Returns:
        The executed notebook in autograded/ of the workplace.

    Raises:
        Failed: nbgrader can't.
    """
    config = _config(workplace, name, student, gradebook)
    config.Autograde.force = True
    config.Autograde.permissions = 644
    config.Autograde.autograde_preprocessors = [
        ExecuteApart if each is preprocessors.Execute else each
        for each in Autograde.autograde_preprocessors.default_args[0]
    ]
    config.ExecuteApart.modules = str(modules)
    config.ExecuteApart.seconds = float(seconds)
    _convert(Autograde, config, "nbgrader can't grade it")
    return workplace / "autograded" / student / name / f"{name}.ipynb"


def write_feedback(folder: Path, student: str, name: str) -> None:
    """Makes the page in feedback/ from the executed notebook in autograded/."""
    config = _config(folder, name, student)
    config.GenerateFeedback.force = True
    _convert(GenerateFeedback, config, "nbgrader can't write its feedback")


def _config(folder: Path, name: str, student: str | None = None, gradebook: Path | None = None) -> Config:
    config = Config()
    config.CourseDirectory.root = str(folder)
    config.CourseDirectory.assignment_id = name
    config.CourseDirectory.notebook_id = name
    if student:
        config.CourseDirectory.student_id = student
    # Several processes write to it; each waits for the others.
    config.CourseDirectory.db_url = f"sqlite:///{gradebook or folder / 'gradebook.db'}?timeout=120"
    return config


def _convert(converter: type[BaseConverter], config: Config, problem: str) -> None:
    log, kept = logging.getLogger("traitlets"), io.StringIO()
    handler = logging.StreamHandler(kept)
    log.addHandler(handler)
    log.propagate = False
    try:
        with environment(PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])):
            converter(coursedir=CourseDirectory(config=config), config=config).start()  # it calls alembic by name
    except (NbGraderException, SystemExit) as error:
        reason = [line for line in kept.getvalue().splitlines() if line.strip()]
        last = next((line for line in reversed(reason) if ": " in line and not line.startswith(" ")), str(error))
        raise Failed(f"{problem}: {last}") from error
    finally:
        log.removeHandler(handler)
