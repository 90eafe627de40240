"""Which notebooks a sweep runs, with what, where and after which; and what of it is there already."""

import functools
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import CourseError
from core.record import package_versions, plain, read_record
from course.notebooks import source as notebooks
from course.notebooks.parameters import resolve, resolve_each
from course.notebooks.presets import Preset
from course.records import origin
from course.records.record import FILE, as_recorded
from course.running.run import as_resolved, command, task
from course.running.sweep.grid import combinations, folder_name
from course.running.worker import Task


@dataclass(frozen=True)
class Run:
    """One notebook with one combination of values.

    Attributes:
        task: what executes it, into a folder of the combination's.
        command: what repeats it and those it comes after.
        after: the keys of the runs whose records it reads; those of other folders are linked into its own.
    """

    task: Task
    command: str
    after: tuple[str, ...]

    @property
    def key(self) -> str:
        """Its name in the sweep: the combination's folder, and the notebook."""
        return f"{self.folder.parent.name}/{self.task.name}"

    @property
    def folder(self) -> Path:
        """Where everything goes that it makes."""
        return Path(self.task.target).parent


def plan(
    paths: Sequence[Path], grid: Mapping[str, Sequence[str]], preset: str, out: Path, most: float = math.inf
) -> list[Run]:
    """The runs of a sweep, each after those it waits for.

    A notebook runs once for each combination of those parameters that it knows, or that one knows which it comes
    after; the others don't concern it. Where it comes after one that fewer parameters concern, that one ran once in a
    folder of its own (see `link`).

    Args:
        grid: the values of each parameter.
        out: the sweep's folder.
        most: the number of runs.

    Raises:
        CourseError: a parameter is known to none of the notebooks, or a value can't be, or two combinations would
            share a folder, or there are more runs.
    """
    after = notebooks.dependencies(paths)
    paths = {path.stem: path for path in sorted(paths, key=lambda path: path.stem)}
    # Unknown names are found first, whatever the number of runs.
    resolve(list(paths.values()), [(name, values[0]) for name, values in grid.items()], Preset(preset))
    defaults = {name: notebooks.defaults(notebooks.read_source(path), name) for name, path in paths.items()}
    before: dict[str, list[str]] = {}  # all that a notebook comes after, also through others, in order
    concerns: dict[str, list[str]] = {}
    for name in paths:
        before[name] = sorted({other for direct in after[name] for other in [*before[direct], direct]})
        known = {parameter for other in [*before[name], name] for parameter in defaults[other]}
        concerns[name] = [parameter for parameter in grid if parameter in known]
    number = sum(math.prod(len(grid[parameter]) for parameter in concerns[name]) for name in paths)
    if number > most:
        raise CourseError(f"These are {number:,} runs of notebooks, more than {most:,}; add --yes if you mean it.")
    runs: dict[str, Run] = {}
    folders: dict[tuple[str, tuple], str] = {}  # by notebook and combination
    for name in paths:
        chain = [paths[other] for other in [*before[name], name]]
        every = list(combinations(grid, concerns[name]))
        for combination, values in zip(every, resolve_each(chain, every, Preset(preset))):
            folder = folder_name({key: _value(key, values) for key, _ in combination})
            folders[name, combination] = folder
            given = [(key, as_resolved(key, text, values)) for key, text in combination]
            run = Run(
                task(paths[name], values[name], out / folder),
                command([path.stem for path in chain], given, out / folder, preset),
                tuple(
                    f"{folders[other, tuple(pair for pair in combination if pair[0] in concerns[other])]}/{other}"
                    for other in after[name]
                ),
            )
            if run.key in runs:
                raise CourseError(
                    f"Two combinations of values would share the folder {out / folder}; give each value once, and "
                    "files and folders different names."
                )
            runs[run.key] = run
    return list(runs.values())


def _value(parameter: str, values: Mapping[str, Mapping[str, object]]) -> object:
    return next(own[parameter] for own in values.values() if parameter in own)


def link(run: Run, runs: Mapping[str, Run]) -> None:
    """Makes a run's folder, and in the combination's links to what it reads from other combinations' folders.

    Raises:
        CourseError: a folder or link can't be made.
    """
    home = run.folder
    try:
        if home.is_symlink():
            home.unlink()
        home.mkdir(parents=True, exist_ok=True)
        for other in _all_before(run, runs):
            place, target = home.parent / other.task.name, other.folder
            if place != target:
                if place.is_symlink():
                    place.unlink()
                os.symlink(os.path.relpath(target, place.parent), place, target_is_directory=True)
    except FileExistsError as error:
        raise CourseError(f"{error.filename2 or error.filename} is in the way; name another folder.") from error
    except OSError as error:
        raise CourseError(f"Cannot write to {home}: {error.strerror or error}; name another folder.") from error


def _all_before(run: Run, runs: Mapping[str, Run]) -> list[Run]:
    found = {key: runs[key] for key in run.after}
    for other in list(found.values()):
        found |= {each.key: each for each in _all_before(other, runs)}
    return list(found.values())


class Present:
    """What there is already; what several runs have in common is read once."""

    def __init__(self) -> None:
        self.code = origin.code()
        self.packages = package_versions()
        self.read = functools.cache(notebooks.read_source)
        self.digest = functools.cache(origin.digest)

    def missing(self, runs: Sequence[Run]) -> list[Run]:
        """Those of a sweep's runs that are to be done: what isn't whole, and what comes after such."""
        found: dict[str, Run] = {}
        for run in runs:
            if not found.keys().isdisjoint(run.after) or not self.is_whole(run):
                found[run.key] = run
        return list(found.values())

    def is_whole(self, run: Run) -> bool:
        """Whether a run's notebook and record are there, from the same parameters, code, packages and data."""
        if not is_finished(run):
            return False
        record = read_record(run.folder / FILE)
        notebook = self.read(Path(run.task.path))
        parameters = notebooks.defaults(notebook, run.task.name) | dict(run.task.parameters)
        came_from = record.get("origin", {"code": {"": "unknown"}})  # a record from before there were origins
        code = {**self.code, origin.NOTEBOOK: origin.source(notebook)}
        return (
            record["parameters"] == plain(as_recorded(parameters))
            and record["packages"] == self.packages
            and all(code.get(name) == digest for name, digest in came_from["code"].items())
            and came_from["data"] == origin.data(notebook, parameters, run.task.parameters["out"], self.digest)
        )


def is_finished(run: Run) -> bool:
    """Whether a run's notebook and a readable record are there, whatever they were made from."""
    try:
        read_record(run.folder / FILE)
    except CourseError:
        return False
    return Path(run.task.target).is_file()
