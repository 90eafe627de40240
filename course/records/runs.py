"""The runs in some folders, and all of them as one table for pandas."""

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import CourseError
from core.files import write_atomically
from core.record import SCORES, read_record
from course.records.conditions import weights
from course.records.record import FILE

# The order of the table's columns; those with a dot stand where their first part does.
PARTS = ("notebook", "folder", "command", "seed", "epochs", "best_epoch", "wall_time", "device", "data", "weights")
PARTS += ("parameters", "validation", "test", "measured")


@dataclass(frozen=True)
class Run:
    """One run: a folder with the records of its notebooks.

    Attributes:
        name: its folder, told from what all the runs have in common.
        results: its records by notebook, in the course's order.
        folders: notebook → where its record and pictures lie.
    """

    name: str
    results: Mapping[str, Mapping]
    folders: Mapping[str, Path]


def find_runs(folders: Iterable[str | Path]) -> list[Run]:
    """The runs in some folders: each may hold a run, or folders of runs, as a sweep leaves them.

    Raises:
        CourseError: one of them holds no record, or a record can't be read.
    """
    found: dict[Path, dict[str, tuple[Path, dict]]] = {}
    for folder in folders:
        paths = sorted(Path(folder).resolve().rglob(FILE))
        if not paths:
            raise CourseError(f"{folder} holds no results of a run; make some: python -m course run --out {folder}")
        for path in paths:
            record = read_record(path)
            name = record["notebook"] or "train"
            # A training without a notebook has a folder of its own.
            run = path.parent.parent if path.parent.name == name else path.parent
            found.setdefault(run, {})[name] = (path.parent, record)
    for run, notebooks in found.items():  # a sweep links what several runs share into the folders of the others
        for path in sorted(run.glob(f"*/{FILE}")):
            if path.parent.is_symlink():
                notebooks.setdefault(path.parent.name, (path.parent, read_record(path)))
    common = Path(os.path.commonpath([run.parent for run in found]))
    return [
        Run(
            run.relative_to(common).as_posix(),
            {name: record for name, (_, record) in sorted(notebooks.items())},
            {name: place for name, (place, _) in notebooks.items()},
        )
        for run, notebooks in found.items()
    ]


def write_table(runs: Sequence[Run], path: Path) -> None:
    """Writes one row for each notebook of each run, as `pandas.read_csv` reads them.

    A column is named after its place in the record: `parameters.epochs`, `test.mean_iou`. `folder` is told from where
    the table lies; lists are JSON, what a record lacks is empty.
    """
    rows = [
        _row(record, os.path.relpath(run.folders[name], path.parent))
        for run in runs
        for name, record in run.results.items()
        if not run.folders[name].is_symlink()  # its row is there already
    ]
    columns = dict.fromkeys(name for row in rows for name in row)
    ordered = sorted(columns, key=lambda name: PARTS.index(name.partition(".")[0]))  # stable
    with write_atomically(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ordered, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _row(record: Mapping, folder: str) -> dict[str, object]:
    data = record["data"] or {}
    row = {
        "notebook": record["notebook"],
        "folder": Path(folder).as_posix(),
        "command": record["command"],
        "seed": record["seed"],
        "epochs": len(record["history"] or []) or None,
        "best_epoch": record["best_epoch"],
        "wall_time": record["wall_time"],
        "device": record["device"],
        "data.name": data.get("name"),
        "data.sha256": data.get("sha256"),
        "weights": weights(record),
    }
    for name, value in record["parameters"].items():
        row[f"parameters.{name}"] = json.dumps(value) if isinstance(value, list | dict) else value
    for part in ("validation", "test"):
        scores = record[part] or {}
        row |= {f"{part}.{name}": scores.get(name) for name in SCORES if name in scores}
    return row | dict(_numbers("measured", record["measured"]))


def _numbers(name: str, value: object) -> Iterable[tuple[str, int | float]]:
    """All single numbers in it, named by where they stand; lists are left to the record."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(f"{name}.{key}", item)
    elif isinstance(value, int | float):
        yield name, value
