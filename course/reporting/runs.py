"""The runs in some folders, read and checked before anything is made of them."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import CourseError
from core.record import read_record
from course.records.record import FILE


@dataclass(frozen=True)
class Run:
    """One run: a folder with the records of its notebooks.

    Attributes:
        name: its folder, relative to what all the runs have in common.
        results: its records by notebook, in the course's order.
        folders: notebook → where its record and figures lie.
    """

    name: str
    results: Mapping[str, Mapping]
    folders: Mapping[str, Path]


def find_runs(folders: Iterable[str | Path]) -> list[Run]:
    """The runs in some folders: each may hold a run, or folders of runs, as a sweep leaves them.

    Raises:
        CourseError: a folder holds no record, a record can't be read, or a figure that it names isn't beside it.
    """
    found: dict[Path, dict[str, Path]] = {}
    for folder in folders:
        paths = sorted(Path(folder).resolve().rglob(FILE))
        if not paths:
            raise CourseError(f"{folder} holds no results of a run; make some: python -m course run --out {folder}")
        for path in paths:
            name = read_record(path)["notebook"] or "train"
            # A training without a notebook has a folder of its own.
            run = path.parent.parent if path.parent.name == name else path.parent
            found.setdefault(run, {})[name] = path.parent
    for run, places in found.items():  # a sweep links what several runs share into the folders of the others
        for path in sorted(run.glob(f"*/{FILE}")):
            if path.parent.is_symlink():
                places.setdefault(path.parent.name, path.parent)
    common = Path(os.path.commonpath([run.parent for run in found]))
    return [_run(run.relative_to(common).as_posix(), dict(sorted(places.items()))) for run, places in found.items()]


def _run(name: str, places: Mapping[str, Path]) -> Run:
    results = {notebook: read_record(place / FILE) for notebook, place in places.items()}
    for notebook, record in results.items():
        for figure in record["figures"]:
            path = places[notebook] / figure["file"]
            if path.is_symlink() or not path.is_file():  # a pipe would never end, a link may lead anywhere
                raise CourseError(
                    f"{path.parent / FILE} names the figure {figure['file']!r}, which is no file beside it; "
                    "run that notebook again."
                )
    return Run(name, results, places)
