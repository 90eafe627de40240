"""One run, one record: the results.json that a notebook leaves, from which all reports are made."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import CourseError
from core.files import write_atomically
from core.record import new_record, project_path, read_record, write_record
from course.notebooks import source as notebooks
from course.records import origin

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FILE = "results.json"
# Where the results go, and whether they were made in one go or two, does not change them.
NOT_RECORDED = ("out", "resume")


class Record:
    """What one notebook's run was given and what it found.

    Attributes:
        folder: where everything the notebook makes goes.
    """

    def __init__(self, notebook: str, folder: Path, parameters: dict[str, object], source: notebooks.Notebook) -> None:
        self.notebook = notebook
        self.folder = folder
        self.parameters = parameters
        self.source = source
        self.code = origin.code()
        self.figures: list[dict[str, str]] = []
        self.started = time.perf_counter()

    @classmethod
    def start(cls, notebook: str, out: str | Path, values: Mapping[str, object]) -> "Record":
        """Begins the record of a notebook; call it right after the parameters.

        Args:
            notebook: its name, without .ipynb.
            out: the run's folder; the notebook's own, `<out>/<notebook>`, is made in it.
            values: the notebook's globals(), from which the values of its parameters are taken.

        Raises:
            CourseError: the notebook's file is not found, or the folder cannot be made.
        """
        file = f"{notebook}.ipynb"
        beside = Path(file)  # a notebook runs in its own folder
        source = notebooks.read_source(beside if beside.exists() else notebooks.FOLDER / file)
        names = notebooks.defaults(source, notebook)
        folder = Path(out).resolve() / notebook
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CourseError(f"Cannot make {folder}: {error.strerror}; name another as out.") from error
        return cls(notebook, folder, {name: values[name] for name in names}, source)

    def figure(self, figure: "Figure", name: str, alt: str) -> None:
        """Shows a figure in the notebook, writes `<folder>/<name>.png` and lists it in the record.

        Args:
            alt: what a reader who can't see the figure should know of it.
        """
        from core.plotting import show  # not above: the command line must not wait for matplotlib

        with write_atomically(self.folder / f"{name}.png") as path:
            figure.savefig(path, dpi=120, bbox_inches="tight")
        self.figures = [shown for shown in self.figures if shown["name"] != name]  # a cell may run twice
        self.figures.append({"name": name, "file": f"{name}.png", "alt": alt})
        show(figure, alt)

    def save(
        self,
        *,
        data: Mapping[str, object] | None = None,
        history: list[Mapping[str, object]] | None = None,
        best_epoch: int | None = None,
        validation: Mapping[str, object] | None = None,
        test: Mapping[str, object] | None = None,
        measured: Mapping[str, object] | None = None,
    ) -> None:
        """Writes results.json.

        Args:
            data, history, best_epoch, validation, test, measured: as for `core.record.new_record`.

        Raises:
            CourseError: the file cannot be written.
        """
        record = new_record(
            os.environ.get("COURSE_COMMAND", "interactive"),
            as_recorded(self.parameters),
            self.started,
            notebook=self.notebook,
            seed=self.parameters.get("seed"),
            data=data,
            history=history,
            best_epoch=best_epoch,
            validation=validation,
            test=test,
            measured=measured,
            figures=self.figures,
            origin={
                "code": origin.used(self.code, self.source),
                "data": origin.data(self.source, self.parameters, self.folder.parent),
            },
        )
        write_record(record, self.folder / FILE)


def as_recorded(parameters: Mapping[str, object]) -> dict[str, object]:
    """What a record holds of a notebook's parameters."""
    return {name: _without_outside_paths(value) for name, value in parameters.items() if name not in NOT_RECORDED}


def load_results(folder: str | Path) -> dict[str, dict]:
    """The records of a run, by notebook, in order; empty if there are none.

    Args:
        folder: the run's folder, which holds `<notebook>/results.json`.

    Raises:
        CourseError: a record can't be read; the message names it.
    """
    return {path.parent.name: read_record(path) for path in sorted(Path(folder).glob(f"*/{FILE}"))}


def _without_outside_paths(value: object) -> object:
    if isinstance(value, str) and Path(value).is_absolute():
        return project_path(Path(value))
    if isinstance(value, list):
        return [_without_outside_paths(item) for item in value]
    return value
