"""Runs a sweep: plans it, leaves what is there already, has the rest done, and tells what became of it."""

import contextlib
import math
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from core.command import Failed, Interrupted
from core.errors import LISTED, CourseError
from core.files import check_writable
from core.record import read_record
from course.notebooks import source as notebooks
from course.notebooks.presets import QUICK
from course.records.record import FILE
from course.running.run import remove_stale
from course.running.side_by_side import default_jobs
from course.running.sweep import grid
from course.running.sweep.plan import Present, Run, link, plan

if TYPE_CHECKING:
    from distributed import Client, Future

UNASKED = 1000  # runs, at most, that are begun without --yes


def sweep(
    names: Sequence[str],
    given: Sequence[tuple[str, str]],
    out: str,
    preset: str = QUICK,
    jobs: int | None = None,
    scheduler: str | None = None,
    yes: bool = False,
) -> Path:
    """Runs notebooks with every combination of values, each into `<out>/<combination>/<notebook>/`.

    What has a whole record from the same parameters, code and data is left as it is. A run that fails is tried once
    more; the others go on, but for those that read its record.

    Args:
        names: the notebooks; none means the whole course.
        given: parameters, each with its values as `course.running.sweep.grid.values` reads them.
        preset: a name of presets/; what is given wins over its values.
        jobs: workers on this machine; by default as `course.running.side_by_side.default_jobs` says.
        scheduler: the address of a scheduler of Dask, whose workers are used instead.
        yes: whether more than 1,000 runs are meant.

    Returns:
        The sweep's folder.

    Raises:
        CourseError: something is wrong with the arguments or the workers, which is found before anything runs; or the
            scheduler is gone.
        Failed: runs failed; the message names them with their logs.
        Interrupted: Ctrl-C; what is finished stays.
    """
    _check_installed()
    if jobs is not None and jobs < 1:
        raise CourseError(f"--jobs is {jobs}; give how many notebooks are to run at a time, from 1.")
    if jobs is not None and scheduler is not None:
        raise CourseError("--jobs and --scheduler don't go together; a scheduler has workers of its own.")
    values: dict[str, list[str]] = {}
    for name, text in given:
        if name in values:
            raise CourseError(f"The parameter {name} is given twice; give it once, with all its values.")
        values[name] = grid.values(name, text)
    folder = Path(out).resolve()
    runs = plan(notebooks.choose(names), values, preset, folder, math.inf if yes else UNASKED)
    check_writable(folder)
    from core.training_state import alone_in  # not above, nor the others: a mistake needn't wait for torch and Dask
    from course.running.sweep.agreement import check, versions
    from course.running.sweep.cluster import dashboard, threads, workers
    from course.running.sweep.task import Here

    with alone_in(folder, "sweep"):
        missing = Present().missing(runs)
        print(f"{len(runs)} runs of notebooks, {len(runs) - len(missing)} of them there already, into {folder}")
        if missing:
            jobs = min(jobs or default_jobs(), len(missing))
            with workers(jobs, scheduler) as client:
                check(client, folder)
                if link := dashboard(client):
                    print(f"Dashboard: {link}", flush=True)
                here = Here(tuple(versions().items()) if scheduler else (), threads(jobs, scheduler))
                _execute(client, missing, runs, here, folder)
    return folder


def _check_installed() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise CourseError(
            "A sweep needs the package distributed; install it with: "
            'python -m pip install -c constraints.txt -e ".[sweep]"'
        ) from error


def _execute(client: "Client", missing: Sequence[Run], runs: Sequence[Run], here: object, folder: Path) -> None:
    """Has runs done and tells of each.

    Raises:
        CourseError, Failed, Interrupted: as `sweep`.
    """
    from distributed import as_completed

    from course.running.sweep import task

    known = {run.key: run for run in runs}
    for run in missing:
        link(run, known)
        remove_stale(run.task)
        task.log_path(run).unlink(missing_ok=True)
    sweep = uuid.uuid4().hex[:8]  # a scheduler may have several, and no two tasks of the same key
    futures: dict[str, Future] = {}
    for run in missing:
        after = [futures[key] for key in run.after if key in futures]
        futures[run.key] = client.submit(
            task.execute, run, here, *after, key=f"{run.task.name}-{sweep}-{run.key}", retries=task.TRIES - 1
        )
    of = {future.key: known[key] for key, future in futures.items()}
    errors: dict[str, str] = {}
    done = 0
    try:
        with tqdm(total=len(missing), desc="sweep", disable=None, leave=False) as bar:
            for future in as_completed(futures.values()):
                run = of[future.key]
                if future.status == "cancelled":
                    raise CourseError(
                        f"The scheduler is gone; {done} of {len(missing)} runs are done, and the same command goes on "
                        "with a new one."
                    )
                if future.status == "finished":
                    done += 1
                    seconds = read_record(run.folder / FILE)["wall_time"]
                    tqdm.write(f"[{done}/{len(missing)}] {run.key}: {seconds:.0f} s")
                elif failure := _own_failure(future, run):
                    errors[run.key] = failure
                    tqdm.write(f"{run.key} failed: {failure}")
                sys.stdout.flush()
                bar.update()
    except KeyboardInterrupt as error:
        client.cancel(list(futures.values()))
        with contextlib.suppress(Exception):  # those that don't answer have nothing to stop
            client.run(task.stop, folder)
        raise Interrupted(
            f"Stopped; {done} of {len(missing)} runs are done, and the same command goes on with the others."
        ) from error
    if errors:
        raise Failed(_told(errors, missing))


def _own_failure(future: "Future", run: Run) -> str | None:
    """What made a run fail, and where its log is; None if it wasn't begun, as one that it comes after has failed."""
    from distributed.scheduler import KilledWorker

    from course.running.sweep.task import DIED, RunFailed, log_path

    error = future.exception()
    if isinstance(error, RunFailed):
        failed, sentence = error.args
    elif isinstance(error, KilledWorker):
        failed, sentence = run.key if error.task == future.key else None, DIED
    else:
        failed, sentence = run.key, f"{type(error).__name__}: {error}"
    log = f"; its log is {log_path(run)}" if log_path(run).exists() else ""
    return f"{sentence}{log}" if failed == run.key else None


def _told(errors: Mapping[str, str], missing: Sequence[Run]) -> str:
    """One sentence about what failed, with the logs, and what was not run for it."""
    not_run: list[str] = []
    for run in missing:
        if any(key in errors or key in not_run for key in run.after):
            not_run.append(run.key)
    failed = [f"{key} ({failure})" for key, failure in errors.items()]
    message = f"{len(errors)} of {len(missing)} runs failed: {_listed(failed)}"
    if not_run:
        message += f"; not run, as they come after these: {_listed(not_run)}"
    return f"{message}; the same command tries them again."


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - LISTED} others" if len(texts) > LISTED else ""
    return ", ".join(texts[:LISTED]) + more
