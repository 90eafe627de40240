"""One form of record for every result: what was run, on what, with what, and what came out."""

import functools
import importlib.metadata
import json
import math
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import fastjsonschema

from core.errors import CourseError
from core.files import ROOT, write_atomically

# Those whose version can change a figure.
PACKAGES = ("torch", "torchvision", "numpy", "opencv-python-headless", "pillow")
SCORES = ("pixel_accuracy", "mean_accuracy", "mean_iou", "frequency_weighted_iou", "accuracy")  # each in 0..1
SCHEMA = Path(__file__).with_name("record.schema.json")


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
        CourseError: the file can't be read, or isn't a record; the message names the file and the field.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_no_number)
        _validator()(record, name_prefix="record")
        _check_lengths(record)
    except OSError as error:
        problem = error.strerror or str(error)
    except fastjsonschema.JsonSchemaValueException as error:
        problem = error.message
    except (ValueError, RecursionError) as error:
        problem = f"it isn't a record in JSON: {error}"
    else:
        return record
    raise CourseError(f"{path} is not a readable record ({problem}); remove it and make it again.")


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


@functools.cache
def _validator() -> Callable:
    return fastjsonschema.compile(json.loads(SCHEMA.read_text(encoding="utf-8")))


def _check_lengths(record: Mapping) -> None:
    """Raises ValueError for lists that don't fit each other, which a schema can't express."""
    epochs, best = len(record["history"] or []), record["best_epoch"]
    if best is not None and best > epochs:
        raise ValueError(f"record.best_epoch is {best} of {epochs} epochs")
    classes = (record["data"] or {}).get("classes")
    for part in ("validation", "test"):
        scores = (record[part] or {}).get("iou_per_class")
        if classes and scores is not None and len(scores) != len(classes):
            raise ValueError(f"record.{part}.iou_per_class has {len(scores)} scores for {len(classes)} classes")


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")
