"""Runs notebooks unattended, with other parameters."""

import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import CourseError
from core.files import ROOT, check_writable
from core.record import project_path
from course.notebooks import source as notebooks
from course.notebooks.parameters import resolve
from course.notebooks.presets import QUICK, Preset
from course.records.record import NOT_RECORDED
from course.running.execute import Task, execute_all
from course.running.jobs import default_jobs, threads_of_each

RUNS = ROOT / "runs"
LONGEST = 200  # bytes of a folder's name


def run(
    names: Sequence[str],
    given: Sequence[tuple[str, str]] = (),
    data: str | None = None,
    out: str | Path | None = None,
    preset: str = QUICK,
    jobs: int | None = None,
) -> Path:
    """Runs notebooks, each into `<out>/<notebook>/` and after those whose records it reads.

    Everything that can be wrong with the arguments is found before anything runs.

    Args:
        names: the notebooks; none means the whole course.
        given: names and values of parameters, passed to those notebooks that have them.
        data: for the notebooks that read photographs: "builtin", "cmp", a folder in CMP Facade's form; or, for those
            of `course.notebooks.parameters.READ_VOC`, "voc" or a folder that holds VOCdevkit.
        out: the run's folder; by default in runs/, as `folder_of` says.
        preset: a name of presets/; what is given wins over its values.
        jobs: how many notebooks run at a time, at most, each with its share of the cores, unless OMP_NUM_THREADS gives
            the threads of each; by default as `course.running.jobs.default_jobs` says.

    Returns:
        The run's folder.

    Raises:
        CourseError: a name or value is wrong, also in the preset's files, or the folder can't be written to.
        Failed: notebooks stopped with an error; what ran of each is kept as `<notebook>.failed.ipynb`.
        Interrupted: Ctrl-C.
    """
    paths = notebooks.choose(names)
    after = notebooks.dependencies(paths)
    given = [*given, *([("data", data)] if data is not None else [])]
    values = resolve(paths, given, Preset(preset))
    out = Path(out).resolve() if out else RUNS / folder_of(given, values, preset)
    check_writable(out)
    words = command([Path(name).name for name in names], given, values, out, preset)
    tasks = [Task(path, {**values[path.stem], "out": str(out)}, out, words) for path in paths]
    for task in tasks:
        task.remove_stale()
    jobs = min(jobs or default_jobs(), len(tasks))
    execute_all(tasks, after, jobs, threads_of_each(jobs))
    return out


def folder_of(given: Sequence[tuple[str, str]], values: Mapping[str, Mapping[str, object]], preset: str) -> str:
    """The name of a run's folder: its preset and data, then its parameters, as in builtin-epochs=20-seed=1.

    So what other runs left, those with the defaults above all, isn't overwritten.

    Raises:
        CourseError: it would be too long.
    """
    typed = {name: value_of(name, values) for name, _ in given}
    data = typed.pop("data", None)
    parts = [preset] if preset != QUICK else []
    if data is not None or not parts:
        parts.append(Path(str(data or "builtin")).name)
    return "-".join([*parts, *named_values(typed)])


def named_values(typed: Mapping[str, object]) -> list[str]:
    """Parameters as folders are named after them, such as "seed=0"; of a path, the last part is taken.

    Raises:
        CourseError: a name of all of them would be too long.
    """
    parts = []
    for name, value in typed.items():
        if name not in NOT_RECORDED:
            text = Path(value).name if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            parts.append(f"{name}=" + re.sub(r"[^\w.+\-\[\],]", "_", text))
    if len("-".join(parts).encode()) > LONGEST:
        raise CourseError(f"The folder would be called {parts[0][:60]}…, which is too long; give fewer parameters.")
    return parts


def value_of(name: str, values: Mapping[str, Mapping[str, object]]) -> object:
    """The value of a parameter, which at least one of the notebooks is given."""
    return next(own[name] for own in values.values() if name in own)


def command(
    names: Sequence[str],
    given: Sequence[tuple[str, str]],
    values: Mapping[str, Mapping[str, object]],
    out: Path,
    preset: str,
) -> str:
    """The command that repeats a run, with no path outside the course's folder in it.

    Args:
        given: names and values as texts.
        values: what they were resolved to; folders are named as the notebooks got them.
    """
    words = ["python", "-m", "course", "run", *names]
    if preset != QUICK:
        words += ["--preset", preset]
    for name, text in given:
        value = value_of(name, values)
        text = value if isinstance(value, str) else text
        words += ["-p", name, project_path(Path(text)) if os.path.isabs(text) else text]
    return shlex.join([*words, "--out", project_path(out)])
