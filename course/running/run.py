"""Runs notebooks unattended, with other parameters."""

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import CourseError
from core.files import ROOT, check_writable
from core.record import project_path
from course.notebooks import source as notebooks
from course.notebooks.parameters import resolve
from course.notebooks.presets import QUICK, Preset
from course.records.record import FILE
from course.running.kernels import environment
from course.running.side_by_side import default_jobs, execute_side_by_side, most_at_a_time, share_of_threads
from course.running.worker import Task

RUNS = ROOT / "runs"


def run(
    names: Sequence[str],
    given: Sequence[tuple[str, str]] = (),
    data: str | None = None,
    out: str | None = None,
    preset: str = QUICK,
    jobs: int | None = None,
) -> Path:
    """Runs notebooks, each into `<out>/<notebook>/` and after those it reads; once one fails, none begins.

    Everything that can be wrong with the arguments is found before anything runs.

    Args:
        names: the notebooks; none means the whole course.
        given: names and values of parameters, passed to those notebooks that have them.
        data: for the notebooks that read photographs: "builtin", "cmp", a folder in CMP Facade's form; or, for those
            of `course.notebooks.parameters.READ_VOC`, "voc" or a folder that holds VOCdevkit.
        out: the run's folder; by default runs/builtin, or runs/ and the data's name, else the preset's.
        preset: a name of presets/; what is given wins over its values.
        jobs: how many notebooks run at a time, at most, each with its share of the cores, unless OMP_NUM_THREADS gives
            the threads of each; by default as `course.running.side_by_side.default_jobs` says.

    Returns:
        The run's folder.

    Raises:
        CourseError: a name or value is wrong, also in the preset's files, or the folder can't be written to.
        Failed: a notebook stopped with an error; what ran of it is kept as `<notebook>.failed.ipynb`.
        Interrupted: Ctrl-C.
    """
    if jobs is not None and jobs < 1:
        raise CourseError(f"--jobs is {jobs}; give how many notebooks are to run at a time, from 1.")
    paths = notebooks.choose(names)
    after = notebooks.dependencies(paths)
    given = [*given, *([("data", data)] if data is not None else [])]
    values = resolve(paths, given, Preset(preset))
    # The command is to name folders as a record may: as the notebooks got them.
    given = [(name, as_resolved(name, text, values)) for name, text in given]
    out = Path(out).resolve() if out else RUNS / _default_name(given, preset)
    check_writable(out)
    tasks = [task(path, values[path.stem], out) for path in paths]
    for each in tasks:
        remove_stale(each)
    jobs = min(jobs or default_jobs(), most_at_a_time(after))
    threads = os.environ.get("OMP_NUM_THREADS") or str(share_of_threads(jobs))
    with environment(COURSE_COMMAND=command(names, given, out, preset), OMP_NUM_THREADS=threads):
        execute_side_by_side(tasks, after, jobs, out)
    return out


def task(path: Path, values: Mapping[str, object], out: Path) -> Task:
    """What executes a notebook with these values into its folder of a run's."""
    return Task(str(path), {**values, "out": str(out)}, str(out / path.stem / path.name))


def remove_stale(task: Task) -> None:
    """Removes an earlier run's record and notebook: a reader must never take them for what this one made."""
    for stale in (FILE, f"{task.name}.ipynb", f"{task.name}.failed.ipynb"):
        Path(task.target).with_name(stale).unlink(missing_ok=True)


def command(names: Sequence[str], given: Sequence[tuple[str, str]], out: Path, preset: str) -> str:
    """The command that repeats a run, with no path outside the course's folder in it."""
    words = ["python", "-m", "course", "run", *(Path(name).name for name in names)]
    if preset != QUICK:
        words += ["--preset", preset]
    for name, text in given:
        words += ["-p", name, project_path(Path(text)) if os.path.isabs(text) else text]
    return shlex.join([*words, "--out", project_path(out)])


def as_resolved(name: str, text: str, values: Mapping[str, Mapping[str, object]]) -> str:
    """A parameter's text, with a folder's absolute path in the place of what was given."""
    found = next((value[name] for value in values.values() if name in value), text)
    return found if isinstance(found, str) else text


def _default_name(given: Sequence[tuple[str, str]], preset: str) -> str:
    return Path(dict(given).get("data", "builtin" if preset == QUICK else preset)).name
