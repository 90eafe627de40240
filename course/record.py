"""One run, one record: the results.json that a notebook leaves, from which all reports are made."""

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.devices import device_name, package_versions
from core.errors import CourseError
from core.files import ROOT, write_atomically
from course import notebooks

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

    def __init__(self, notebook: str, folder: Path, parameters: dict[str, object]) -> None:
        self.notebook = notebook
        self.folder = folder
        self.parameters = parameters
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
        names = notebooks.defaults(notebooks.read(beside if beside.exists() else notebooks.FOLDER / file))
        folder = Path(out).resolve() / notebook
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CourseError(f"Cannot make {folder}: {error.strerror}; name another as out.") from error
        return cls(notebook, folder, {name: values[name] for name in names})

    def figure(self, figure: "Figure", name: str, alt: str) -> None:
        """Shows a figure in the notebook, writes `<folder>/<name>.png` and lists it in the record.

        Args:
            alt: what a reader who can't see the figure should know of it.
        """
        from fcn import plots  # not above: the command line must not wait for matplotlib

        with write_atomically(self.folder / f"{name}.png") as path:
            figure.savefig(path, dpi=120, bbox_inches="tight")
        self.figures = [shown for shown in self.figures if shown["name"] != name]  # a cell may run twice
        self.figures.append({"name": name, "file": f"{name}.png", "alt": alt})
        plots.show(figure, alt)

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
            data: `name`, `sha256` and what else identifies the data; `classes`, their names, for tables.
            history: one entry per epoch: `epoch` (from 1), `train_loss`, `validation` (figures as below),
                `learning_rate`, `seconds`.
            best_epoch: the epoch whose weights were kept, from 1.
            validation, test: `pixel_accuracy`, `mean_accuracy`, `mean_iou`, `frequency_weighted_iou`,
                `iou_per_class`, as `ConfusionMatrix.figures()` gives them (0..1).
            measured: any other figures by name. Times belong under names that are or end in `seconds`.

        Raises:
            CourseError: the file cannot be written.
        """
        record = {
            "notebook": self.notebook,
            "command": os.environ.get("COURSE_COMMAND", "interactive"),
            "parameters": {
                name: _without_outside_paths(value)
                for name, value in self.parameters.items()
                if name not in NOT_RECORDED
            },
            "seed": self.parameters.get("seed"),
            "packages": package_versions(),
            "data": data,
            "device": device_name(),
            "history": history,
            "best_epoch": best_epoch,
            "validation": validation,
            "test": test,
            "measured": measured or {},
            "figures": self.figures,
            "wall_time": round(time.perf_counter() - self.started, 3),
        }
        with write_atomically(self.folder / FILE) as path:
            path.write_text(json.dumps(_plain(record), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def load_results(folder: str | Path) -> dict[str, dict]:
    """The records of a run, by notebook, in order; empty if there are none.

    Args:
        folder: the run's folder, which holds `<notebook>/results.json`.

    Raises:
        CourseError: a record can't be read; the message names it.
    """
    return {path.parent.name: read_record(path) for path in sorted(Path(folder).glob(f"*/{FILE}"))}


def read_record(path: Path) -> dict:
    """One record. Raises CourseError if the file isn't one."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if "notebook" not in record or "parameters" not in record:
            raise ValueError("not a record")
    except (OSError, ValueError, TypeError) as error:
        raise CourseError(f"{path} is not a readable record; remove it, run its notebook again.") from error
    return record


def project_path(path: Path) -> str:
    """A path as a record may hold it: from the course's folder if it lies in it, else its last part alone."""
    path = path.resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else f".../{path.name}"


def _without_outside_paths(value: object) -> object:
    if isinstance(value, str) and Path(value).is_absolute():
        return project_path(Path(value))
    if isinstance(value, list):
        return [_without_outside_paths(item) for item in value]
    return value


def _plain(value: object) -> object:
    """The value in JSON's types; a number that isn't finite is None, as JSON has no NaN."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's and torch's numbers and arrays
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
