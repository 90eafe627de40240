"""Regression: the scores of a run in the quick configuration, held against bands that recorded runs span.

nbval compares texts, and no text holds a trained score. So a network that silently learns less would pass; here it
doesn't. A band reaches from the least to the greatest score over recorded runs (seeds, numbers of threads, instruction
sets), widened on both sides by half that range, at least by `MARGIN`.
"""

import json
import re
import statistics
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from core.command import Failed
from core.errors import CourseError
from core.files import ROOT, write_atomically
from core.record import project_path, read_record
from course.notebooks import source as notebooks
from course.records.record import FILE, NOT_RECORDED

BANDS = ROOT / "files" / "bands.json"
MARGIN = 0.01
# Which of a record's numbers are scores; times and settings are none.
SCORES = re.compile(
    r"train_loss|(validation|test)\.(pixel_accuracy|mean_iou|digit_mean_iou)|measured\.("
    r"accuracy|accuracy\..*|constant_.*|(pointing|box_accuracy)\.CAM, aligned|classifier_accuracy\..*|"
    r"scores\..*\.(mean_iou|digit_mean_iou)|networks\..*\.(accuracy|mean_iou)|"
    r"gradients\.tanh, no BatchNorm, .*\.early|(band|interior) mean IoU: .*)"
)


def scores_of(record: Mapping[str, object]) -> dict[str, float]:
    """A record's scores by path, such as "test.mean_iou"; "train_loss" is that of the last epoch."""
    whole = {name: record[name] for name in ("validation", "test", "measured")}
    if record["history"]:
        whole["train_loss"] = record["history"][-1].get("train_loss")
    return {path: value for path, value in _numbers(whole) if SCORES.fullmatch(path)}


def _numbers(value: object, path: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _numbers(item, f"{path}.{name}".lstrip("."))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, value


def write_bands(folders: Iterable[Path]) -> None:
    """Makes the bands from the records in these folders that the notebooks' defaults describe, but for the seed.

    Those of notebooks that have no record there stay as they are.

    Args:
        folders: runs (`<notebook>/results.json`) or committed records (`<notebook>.json`).

    Raises:
        CourseError: a record can't be read, or none fits.
    """
    found: dict[str, list[tuple[Path, dict]]] = {}
    for folder in folders:
        for path in sorted([*folder.glob(f"*/{FILE}"), *folder.glob("[0-9]*.json")]):
            record = read_record(path)
            if record["notebook"] and _conditions(record["parameters"]) == _defaults(record["notebook"]):
                found.setdefault(record["notebook"], []).append((path, record))
    if not found:
        raise CourseError("These folders hold no record of the quick configuration; name runs such as runs/builtin.")
    bands = json.loads(BANDS.read_text(encoding="utf-8")) if BANDS.exists() else {}
    for name, records in found.items():
        scores = [scores_of(record) for _, record in records]
        shared = set(scores[0]).intersection(*scores[1:])
        bands[name] = {
            "runs": [f"{project_path(path)}: seed {record['seed']}, {record['device']}" for path, record in records],
            "scores": {path: _band([each[path] for each in scores]) for path in scores[0] if path in shared},
        }
    with write_atomically(BANDS) as path:
        path.write_text(json.dumps(dict(sorted(bands.items())), indent=1) + "\n", encoding="utf-8")


def _band(values: list[float]) -> dict[str, float]:
    margin = max((max(values) - min(values)) / 2, MARGIN)
    ends = min(values) - margin, statistics.median(values), max(values) + margin
    return dict(zip(("low", "median", "high"), (round(value, 4) for value in ends)))


def check(folder: Path, since: Path | None = None) -> list[str]:
    """Holds a run against the bands.

    Args:
        folder: the run's, which holds `<notebook>/results.json`.
        since: a file; a record that is older was left by an earlier run and doesn't count.

    Returns:
        A line for each notebook.

    Raises:
        Failed: a record is missing or old, or a score lies outside its band; one line for each.
        CourseError: a record can't be read.
    """
    lines, problems = [], []
    for name, band in json.loads(BANDS.read_text(encoding="utf-8")).items():
        path = Path(folder) / name / FILE
        if not path.is_file():
            problems.append(f"{name} left no {FILE} in {folder}")
            continue
        if since is not None and path.stat().st_mtime < since.stat().st_mtime:
            problems.append(f"{path} is of an earlier run")
            continue
        record = read_record(path)
        if _conditions(record["parameters"]) != _defaults(name):
            lines.append(f"{name}: other parameters than the quick configuration's; not held against the bands")
            continue
        scores = scores_of(record)
        wrong = [_outside(name, path, scores.get(path), limits) for path, limits in band["scores"].items()]
        problems += [problem for problem in wrong if problem]
        lines.append(f"{name}: {len(wrong)} scores held against their bands")
    if problems:
        raise Failed("\n  ".join([f"{len(problems)} scores or records are not as recorded runs had them:", *problems]))
    return lines


def _outside(name: str, path: str, value: float | None, limits: Mapping[str, float]) -> str | None:
    if value is None:
        return f"{name}: {path} is missing"
    if limits["low"] <= value <= limits["high"]:
        return None
    return f"{name}: {path} is {value:.4f}, outside {limits['low']:g} to {limits['high']:g}"


def _conditions(parameters: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in parameters.items() if name != "seed"}


def _defaults(notebook: str) -> dict[str, object]:
    values = notebooks.defaults(notebooks.read_source(notebooks.FOLDER / f"{notebook}.ipynb"), notebook)
    return _conditions({name: value for name, value in values.items() if name not in NOT_RECORDED})
