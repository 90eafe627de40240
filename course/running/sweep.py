"""Runs notebooks with every combination of some parameters' values, as tasks of Dask distributed."""

import contextlib
import functools
import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from core.command import Failed, Interrupted
from core.errors import CourseError
from core.files import check_writable
from core.record import package_versions, plain, read_record
from course.notebooks import source as notebooks
from course.notebooks.parameters import resolve, resolve_each
from course.notebooks.presets import QUICK, Preset
from course.records import origin
from course.records.record import as_recorded
from course.running.execute import Task, end_kernels, execute, failure
from course.running.jobs import default_jobs, threads_of_each
from course.running.run import command, named_values, value_of

if TYPE_CHECKING:
    from distributed import Client

MOST = 100_000  # runs of a sweep
PATIENCE = 10  # seconds in which a scheduler has to answer
WAIT = 60  # seconds in which its first worker has to come
SHARED = "shared"  # the folder of what none of the parameters concerns


@dataclass(frozen=True)
class Run:
    """One notebook with one combination of values; `after` has the keys of the runs whose records it reads."""

    task: Task
    after: tuple[str, ...]

    @property
    def key(self) -> str:
        """Its name in the sweep: the combination's folder, and the notebook."""
        return f"{self.task.out.name}/{self.task.name}"


def sweep(
    names: Sequence[str],
    given: Sequence[tuple[str, str]],
    out: str | Path,
    preset: str = QUICK,
    jobs: int | None = None,
    scheduler: str | None = None,
) -> Path:
    """Runs notebooks with every combination of values, each into `<out>/<combination>/<notebook>/`.

    What has a whole record from the same parameters, code and data is left as it is. A run that fails, or whose worker
    dies, is tried once more; the others go on, but for those that read its record.

    Args:
        names: the notebooks; none means the whole course.
        given: parameters, each with its values as `values` reads them.
        preset: a name of presets/; what is given wins over its values.
        jobs: notebooks at a time on this machine; by default as `course.running.jobs.default_jobs` says.
        scheduler: the address of a scheduler of Dask, whose workers are used instead.

    Returns:
        The sweep's folder.

    Raises:
        CourseError: something is wrong with the arguments, which is found before anything runs, or with the scheduler.
        Failed: runs failed; the message has a sentence for each.
        Interrupted: Ctrl-C; what is finished stays.
    """
    if jobs is not None and scheduler is not None:
        raise CourseError("--jobs and --scheduler don't go together; a scheduler has workers of its own.")
    if len({name for name, _ in given}) < len(given):
        raise CourseError("A parameter is given twice; give it once, with all its values, as in -p seed 0..4,7.")
    folder = Path(out).resolve()
    runs = plan(notebooks.choose(names), {name: values(name, text) for name, text in given}, preset, folder)
    check_writable(folder)
    from core.training_state import alone_in  # not above: a mistake in the arguments needn't wait for torch

    with alone_in(folder, "sweep"):
        missing = missing_of(runs)
        print(f"{len(runs)} runs of notebooks, {len(runs) - len(missing)} of them there already, into {folder}")
        if missing:
            jobs = min(jobs or default_jobs(), len(missing))
            with _client(jobs, scheduler) as client:
                _execute(client, missing, folder, *((None, _version()) if scheduler else (threads_of_each(jobs), None)))
    return folder


def values(name: str, text: str) -> list[str]:
    """The values of a parameter, as texts: "0..4", both ends included, and "1e-3,3e-3" can be mixed.

    A comma within brackets separates no values, so that lists can be given: "[20],[20,35]".

    Raises:
        CourseError: a range can't be read, or a value is missing.
    """
    found: list[str] = []
    for part in re.split(r",(?![^\[{]*[\]}])", text):
        if ".." not in part or re.search(r"[/\\]", part):  # dots with a slash are a path, such as ../photographs
            found.append(part.strip())
            continue
        ends = re.fullmatch(r"\s*(-?\d+)\.\.(-?\d+)\s*", part)
        if not ends or not 0 <= int(ends[2]) - int(ends[1]) < MOST:
            raise CourseError(
                f'The range "{part}" for {name} can\'t be read; give two whole numbers, the smaller one first, as in '
                f"0..4, and no more than {MOST:,}."
            )
        found += map(str, range(int(ends[1]), int(ends[2]) + 1))
    if "" in found and len(found) > 1:
        raise CourseError(f'A value is missing in "{text}" for {name}; give such as 1,2,3 without gaps.')
    return found


def plan(paths: Sequence[Path], grid: Mapping[str, Sequence[str]], preset: str, out: Path) -> list[Run]:
    """The runs of a sweep, each after those whose records it reads.

    Notebooks that read each other's records share a folder, and run once for each combination of those parameters that
    one of them knows; the others don't concern them.

    Args:
        grid: the values of each parameter.
        out: the sweep's folder.

    Raises:
        CourseError: a parameter is known to none of the notebooks, or a value can't be, or two combinations would
            share a folder, or there are too many runs.
    """
    resolve(paths, [(name, texts[0]) for name, texts in grid.items()], Preset(preset))  # finds unknown names
    after = notebooks.dependencies(paths)
    paths = {path.stem: path for path in sorted(paths, key=lambda path: path.stem)}
    groups: dict[str, list[Path]] = {}
    for name, group in notebooks.groups(after).items():
        groups.setdefault(group, []).append(paths[name])
    runs: dict[str, Run] = {}
    for members in groups.values():
        known = {name for path in members for name in notebooks.defaults(notebooks.read_source(path), path.stem)}
        concerning = [name for name in grid if name in known]
        if math.prod(len(grid[name]) for name in concerning) > MOST:
            raise CourseError(f"These are more than {MOST:,} combinations; give fewer values.")
        every = [tuple(zip(concerning, chosen)) for chosen in product(*(grid[name] for name in concerning))]
        for given, resolved in zip(every, resolve_each(members, every, Preset(preset))):
            name = ",".join(named_values({key: value_of(key, resolved) for key in concerning})) or SHARED
            words = command([path.stem for path in members], given, resolved, out / name, preset)
            for path in members:
                parameters = {**resolved[path.stem], "out": str(out / name)}
                before = tuple(f"{name}/{other}" for other in after[path.stem])
                run = Run(Task(path, parameters, out / name, words), before)
                if run.key in runs:
                    raise CourseError(
                        f"Two combinations of values would share the folder {out / name}; give each value once, and "
                        "files and folders different names."
                    )
                runs[run.key] = run
    return list(runs.values())


def missing_of(runs: Sequence[Run]) -> list[Run]:
    """Those of a sweep's runs that are to be done: what isn't whole, and what reads such."""
    code, packages = origin.code(), package_versions()
    read, digest = functools.cache(notebooks.read_source), functools.cache(origin.digest)

    def is_whole(task: Task) -> bool:
        """Whether a notebook and its record are there, from the same parameters, code, packages and data.

        One that leaves no record is never whole: nothing says what its outputs came from.
        """
        try:
            record = read_record(task.record)
        except CourseError:
            return False
        notebook = read(task.path)
        parameters = notebooks.defaults(notebook, task.name) | dict(task.parameters)
        came_from = record.get("origin", {"code": {"": "unknown"}})  # a record from before there were origins
        now = {**code, origin.NOTEBOOK: origin.source(notebook)}
        return (
            task.executed.is_file()
            and record["parameters"] == plain(as_recorded(parameters))
            and record["packages"] == packages
            and all(now.get(name) == digest for name, digest in came_from["code"].items())
            and came_from["data"] == origin.data(notebook, parameters, task.out, digest)
        )

    found: dict[str, Run] = {}
    for run in runs:
        if not found.keys().isdisjoint(run.after) or not is_whole(run.task):
            found[run.key] = run
    return list(found.values())


@contextlib.contextmanager
def _client(jobs: int, scheduler: str | None) -> Iterator["Client"]:
    """A client of workers: as many threads of this process as wanted, or those of a scheduler."""
    try:
        from distributed import Client, LocalCluster
        from distributed.comm import CommClosedError
    except ImportError as error:
        extra = 'python -m pip install -c constraints.txt -e ".[sweep]"'
        raise CourseError(f"A sweep needs the package distributed; install it with: {extra}") from error
    if (
        scheduler is None
    ):  # each notebook has a kernel, which is a process of its own; threads are enough to wait for it
        here = {"processes": False, "n_workers": 1, "threads_per_worker": jobs, "memory_limit": 0}
        with LocalCluster(**here, dashboard_address=None, silence_logs=50) as cluster, Client(cluster) as client:
            yield client
        return
    try:
        client = Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError, TypeError) as error:
        start = "start one with `dask scheduler` and give the address it prints"
        raise CourseError(f"There is no scheduler at {scheduler}; {start}.") from error
    try:
        client.wait_for_workers(1, timeout=WAIT)
        yield client
    except TimeoutError as error:
        start = f"start some with `dask worker {scheduler} --nthreads 1`"
        raise CourseError(f"The scheduler at {scheduler} has no worker; {start}.") from error
    except CommClosedError as error:
        raise CourseError(f"The scheduler at {scheduler} is gone; start another and repeat the command.") from error
    finally:
        client.close(timeout=2)


def _execute(client: "Client", missing: Sequence[Run], folder: Path, threads: str | None, version: str | None) -> None:
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    futures = {}
    for run in missing:
        run.task.remove_stale()
        run.task.out.mkdir(parents=True, exist_ok=True)
        earlier = [futures[key] for key in run.after if key in futures]
        futures[run.key] = client.submit(_on_worker, run.task, threads, version, *earlier, retries=1, pure=False)
    keys = {future.key: key for key, future in futures.items()}
    errors: dict[str, Exception] = {}
    done = 0
    try:
        for future in as_completed(futures.values()):
            key = keys[future.key]
            if future.status == "finished":
                done += 1
                print(f"[{done}/{len(missing)}] {key}: {future.result():.0f} s", flush=True)
            elif future.status == "cancelled":
                raise CourseError(
                    f"The scheduler is gone; {done} of {len(missing)} runs are done, and the same command goes on."
                )
            else:
                error = future.exception()
                killed = isinstance(error, KilledWorker)
                errors[key] = Failed(f"{key}: " + ("its worker died each time" if killed else str(error)))
                print(f"{key} failed", flush=True)
    except KeyboardInterrupt as error:
        client.cancel(list(futures.values()))
        with contextlib.suppress(Exception):  # workers that don't answer have nothing to end
            client.run(end_kernels, folder)
        raise Interrupted(
            f"Stopped; {done} of {len(missing)} runs are done, and the same command goes on with the others."
        ) from error
    if errors:
        raise failure(errors, {run.key: run.after for run in missing})


def _on_worker(task: Task, threads: str | None, version: str | None, *after: object) -> float:
    """Executes a notebook where its worker is; of what it comes after only that it is done counts."""
    if version is not None and version != _version():
        raise CourseError("its worker has another version of the course or its packages; give all the same.")
    if not task.out.is_dir():
        raise CourseError(f"its worker sees no folder {task.out}; name one as --out that all workers share.")
    return execute(task, threads)


def _version() -> str:
    """One hash of the course's code and of each package that can change a figure."""
    return hashlib.sha256(repr((origin.code(), package_versions())).encode()).hexdigest()
