"""One form of record for every result: what was run, on what, with what, and what came out."""

import importlib.metadata
import json
import math
import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import CourseError
from core.files import ROOT, write_atomically

# Those whose version can change a figure.
PACKAGES = ("torch", "torchvision", "numpy", "opencv-python-headless", "pillow")
SCORES = ("pixel_accuracy", "mean_accuracy", "mean_iou", "frequency_weighted_iou", "accuracy")  # each in 0..1
# What every record holds, and of which type; None stands for "there is none".
FIELDS = {
    "notebook": str | None,
    "command": str,
    "parameters": dict,
    "seed": int | None,
    "packages": dict,
    "data": dict | None,
    "device": str | None,
    "history": list | None,
    "best_epoch": int | None,
    "validation": dict | None,
    "test": dict | None,
    "measured": dict,
    "figures": list,
    "wall_time": int | float,
}


def new_record(
    command: str,
    parameters: Mapping[str, object],
    started: float,
    *,
    notebook: str | None = None,
    seed: int | None = None,
    data: Mapping[str, object] | None = None,
    history: Sequence[Mapping[str, object]] | None = None,
    best_epoch: int | None = None,
    validation: Mapping[str, object] | None = None,
    test: Mapping[str, object] | None = None,
    measured: Mapping[str, object] | None = None,
    figures: Sequence[Mapping[str, str]] = (),
    origin: Mapping[str, Mapping[str, str]] | None = None,
) -> dict:
    """A record, with the packages' versions and the device.

    Args:
        command: what repeats the run.
        parameters: all of them, resolved.
        started: `time.perf_counter()` at the beginning.
        notebook: its name; None for a command.
        data: `name`, `sha256` and what else identifies the data; `classes`, their names, for tables.
        history: one entry per epoch: `epoch` (from 1), `train_loss`, `validation`, `learning_rate`, `seconds`.
        best_epoch: the epoch whose weights were kept, from 1.
        validation, test: scores by name, such as `ConfusionMatrix.figures()` gives them.
        measured: any other results by name. Times belong under names that are or end in `seconds`.
        figures: `name`, `file` and `alt` of each picture beside the record.
        origin: hashes of the files it came from, as `course.records.origin` gives them.
    """
    from core.devices import device_name  # not above: reading a record needs no torch

    return plain(
        {
            "notebook": notebook,
            "command": command,
            "parameters": parameters,
            "seed": seed,
            "packages": package_versions(),
            "data": data,
            "device": device_name(),
            "history": history,
            "best_epoch": best_epoch,
            "validation": validation,
            "test": test,
            "measured": measured or {},
            "figures": figures,
            **({"origin": origin} if origin is not None else {}),
            "wall_time": round(time.perf_counter() - started, 3),
        }
    )


def package_versions() -> dict[str, str]:
    """The versions of Python and of those PACKAGES that are installed."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def write_record(record: Mapping[str, object], path: str | Path) -> None:
    """Writes a record as JSON.

    Raises:
        CourseError: the file can't be written.
    """
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps(plain(record), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_record(path: str | Path) -> dict:
    """One record.

    Raises:
        CourseError: the file can't be read, or isn't a record; the message says what is wrong.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        problem = _problem(record)
    except OSError as error:
        problem = error.strerror or str(error)
    except (ValueError, RecursionError) as error:
        problem = f"it isn't JSON: {error}"
    if problem:
        raise CourseError(f"{path} is not a readable record ({problem}); remove it and make it again.")
    return record


def project_path(path: Path) -> str:
    """A path as a record may hold it: from the course's folder if it lies in it, else its last part alone."""
    path = path.resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else f".../{path.name}"


def plain(value: object) -> object:
    """The value in JSON's types; a number that isn't finite is None, as JSON has no NaN."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's and torch's numbers and arrays
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _problem(record: object) -> str | None:
    """What keeps something from being a record; None if nothing does."""
    if not isinstance(record, dict):
        return "it is no table of names and values"
    missing = [name for name in FIELDS if name not in record]
    if missing:
        return f"it has no {missing[0]}"
    for name, kind in FIELDS.items():
        if not isinstance(record[name], kind) or isinstance(record[name], bool):
            return f"its {name} is {_short(record[name])}"
    if not 0 <= record["wall_time"] < math.inf:
        return f"its wall_time is {_short(record['wall_time'])}"
    if problem := _wrong_data(record["data"]):
        return problem
    if not isinstance(record["measured"].get("weights"), str | None):
        return f"its measured weights are {_short(record['measured']['weights'])}"
    for number, entry in enumerate(record["history"] or [], start=1):
        if not isinstance(entry, dict) or not isinstance(entry.get("epoch"), int) or isinstance(entry["epoch"], bool):
            return f"entry {number} of its history has no epoch"
        if not isinstance(entry.get("train_loss"), int | float | None) or isinstance(entry.get("train_loss"), bool):
            return f"epoch {number} has the train_loss {_short(entry['train_loss'])}"
        if problem := _wrong_scores(entry.get("validation"), f"epoch {number}"):
            return problem
    if record["best_epoch"] is not None and not 1 <= record["best_epoch"] <= len(record["history"] or []):
        return f"its best epoch {record['best_epoch']} is not in its history"
    for number, figure in enumerate(record["figures"], start=1):
        if not isinstance(figure, dict) or not all(isinstance(figure.get(k), str) for k in ("name", "file", "alt")):
            return f"figure {number} lacks its name, file or alternative text"
        if figure["file"] in ("", ".", "..") or set(figure["file"]) & {"/", "\\", os.sep}:
            return f'its figure "{figure["file"]}" is not a file beside it'
    return _wrong_scores(record["validation"], "validation") or _wrong_scores(record["test"], "test")


def _wrong_data(data: dict | None) -> str | None:
    if data is None:
        return None
    for name, kind in {"name": str, "sha256": str | None}.items():
        if not isinstance(data.get(name), kind):
            return f"its data's {name} is {_short(data.get(name))}"
    classes = data.get("classes")
    if classes is not None and not (isinstance(classes, list) and all(isinstance(name, str) for name in classes)):
        return "its data's classes are no list of names"
    return None


def _wrong_scores(scores: object, where: str) -> str | None:
    if scores is None:
        return None
    if not isinstance(scores, dict):
        return f"its {where} holds no scores"
    for name in SCORES:
        if not _is_score(scores.get(name)):
            return f"its {where} has the {name} {_short(scores[name])}, which is not in 0 to 1"
    per_class = scores.get("iou_per_class", [])
    if not isinstance(per_class, list) or not all(map(_is_score, per_class)):
        return f"its {where} has an iou_per_class that is no list of scores in 0 to 1"
    return None


def _is_score(value: object) -> bool:
    """A number in 0..1, or None where nothing counts."""
    return value is None or isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
