"""What a worker of Dask does: it has one notebook executed, by a process of its own, and tells how that ended."""

import contextlib
import functools
import os
import platform
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import psutil

from core.command import Failed
from core.errors import CourseError
from course.running.sweep.agreement import differing, versions
from course.running.sweep.plan import Run, is_finished
from course.running.worker import Worker

TRIES = 2  # of a run that fails, or whose worker dies
DIED = "its worker died each time, perhaps for lack of memory"
STARTED = b"started by "  # with this begins a line of the log for each try

running: dict[Path, set[Worker]] = {}  # by the sweep's folder


class RunFailed(Exception):
    """A run failed; its arguments are the run's key and a sentence. Those after it get the same exception from Dask."""


@dataclass(frozen=True)
class Here:
    """What a worker needs to have in common with the one who began the sweep.

    Attributes:
        versions: names and values, of the code and of each package; none where the workers are of our own.
        threads: for each notebook; None: as the worker's environment says.
    """

    versions: tuple[tuple[str, str], ...]
    threads: str | None


def execute(run: Run, here: Here, *after: object) -> None:
    """Has a notebook executed, unless its record is there: it was finished on a worker that died later.

    Args:
        after: what the runs that it comes after gave; only their being done counts.

    Raises:
        RunFailed: it failed, or its worker has died twice.
    """
    if is_finished(run):
        log_path(run).unlink(missing_ok=True)
        return
    try:
        if not run.folder.is_dir():
            raise CourseError(f"its worker sees no folder {run.folder}")
        with log_of(run) as log:
            if here.versions and (different := _different(here.versions)):
                raise CourseError(f"its worker {different}")
            _execute(run, here, log)
    except (CourseError, Failed) as error:
        raise RunFailed(run.key, str(error)) from None
    except OSError as error:
        raise RunFailed(run.key, f"{error.filename or 'its log'} can't be written ({error.strerror})") from None


@functools.cache
def _different(wanted: tuple[tuple[str, str], ...]) -> str | None:
    """Asked once in a sweep, at a worker's first run: workers may join late, and files change while a sweep runs."""
    return differing(dict(wanted), versions())


def _execute(run: Run, here: Here, log: BinaryIO) -> None:
    variables = {"COURSE_COMMAND": run.command} | ({"OMP_NUM_THREADS": here.threads} if here.threads else {})
    worker = Worker(variables, log)
    sweep = run.folder.parents[1]
    running.setdefault(sweep, set()).add(worker)
    try:
        with memory_watched(worker, memory_limit()) as exceeded:
            try:
                worker.execute(run.task, lambda cell: None)
            except Failed as error:
                if exceeded.is_set():
                    limit = memory_limit() / 2**30
                    raise Failed(f"{run.task.name} took more than the {limit:.1f} GiB of memory it may have") from error
                raise
    finally:
        running[sweep].discard(worker)
        worker.stop()
        worker.wait()


def stop(sweep: Path) -> None:
    """Ends what runs of a sweep on this worker, each with its kernel."""
    for worker in list(running.get(sweep, ())):
        worker.stop()


def log_path(run: Run) -> Path:
    """A run's log; it stays where the run fails."""
    return run.folder / f"{run.task.name}.log"


@contextlib.contextmanager
def log_of(run: Run) -> Iterator[BinaryIO]:
    """Opens a run's log, says in it who begins, and removes it once the run is done.

    Raises:
        Failed: it was begun often enough.
    """
    path = log_path(run)
    with path.open("ab+", buffering=0) as log:
        log.seek(0)
        tries = sum(line.startswith(STARTED) for line in log)
        if tries == TRIES:
            raise Failed(DIED)
        log.write(STARTED + f"process {os.getpid()} on {platform.node()}: {run.command}\n".encode())
        try:
            yield log
        except (CourseError, Failed) as error:
            log.write(f"{error}\n".encode())
            raise
    path.unlink(missing_ok=True)


def memory_limit() -> float:
    """The bytes that a notebook may take here: its share of what the worker may."""
    from distributed import get_worker

    worker = get_worker()
    return (worker.memory_manager.memory_limit or float("inf")) / worker.state.nthreads


@contextlib.contextmanager
def memory_watched(worker: Worker, limit: float) -> Iterator[threading.Event]:
    """Ends a worker with all its processes as soon as they take more memory than they may; the event then is set."""
    done, exceeded = threading.Event(), threading.Event()

    def watch() -> None:
        while not done.wait(1.0):
            processes = _family(worker.process.pid)
            if sum(size for _, size in processes) > limit:
                exceeded.set()
                for process, _ in processes:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield exceeded
    finally:
        done.set()
        thread.join()


def _family(pid: int) -> list[tuple[psutil.Process, int]]:
    """A process and its descendants, each with the bytes of memory that it takes."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for process in [parent, *parent.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append((process, process.memory_info().rss))
    return found
