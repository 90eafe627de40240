"""Notebooks that don't wait for each other, executed side by side."""

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from tqdm import tqdm

from core.command import Failed, Interrupted
from core.errors import CourseError
from course.notebooks import source as notebooks
from course.running.progress import Progress
from course.running.worker import Task, Worker

MEMORY = 3 * 2**30  # bytes; what the largest notebook takes in the quick configuration, and some more


def default_jobs() -> int:
    """As many notebooks at a time as there are cores and memory for; one where they would share a GPU."""
    import joblib  # not above, nor the others: most commands need none of them
    import psutil

    from core.devices import best_device

    if best_device().type != "cpu":
        return 1
    return max(1, min(joblib.cpu_count(), psutil.virtual_memory().available // MEMORY))


def share_of_threads(jobs: int) -> int:
    """The threads for each of the notebooks that run at a time."""
    import joblib

    return max(1, joblib.cpu_count() // jobs)


def most_at_a_time(after: Mapping[str, Sequence[str]]) -> int:
    """How many notebooks can run at a time at all, where each waits for some: 1 for a chain.

    Args:
        after: for each notebook, in the course's order, those that it waits for.
    """
    depth: dict[str, int] = {}
    for name, earlier in after.items():
        depth[name] = 1 + max((depth[other] for other in earlier), default=0)
    depths = list(depth.values())
    return max(map(depths.count, depths))


def execute_side_by_side(tasks: Sequence[Task], after: Mapping[str, Sequence[str]], jobs: int, out: Path) -> None:
    """Executes notebooks, each as soon as those it waits for are done, and prints a line as each is.

    After one that fails none begins; what runs then is finished.

    Args:
        tasks: where several could begin, the first does.
        after: for each notebook those that it waits for, all of them among the tasks.
        jobs: how many at a time, at most.
        out: the run's folder, for the message.

    Raises:
        CourseError, Failed: as `course.running.execute.execute`; the message has a sentence for each that failed.
        Interrupted: Ctrl-C; all kernels have ended.
    """
    waiting = {task.name: task for task in tasks}
    running: dict[Future[float], tuple[str, int]] = {}
    errors: list[CourseError | Failed] = []
    finished = 0
    with ThreadPoolExecutor(jobs) as threads, _workers(jobs) as workers:
        idle = list(range(jobs))
        try:
            while True:
                unfinished = {*waiting, *(name for name, _ in running.values())}
                for name in [name for name in waiting if unfinished.isdisjoint(after[name])]:
                    if idle and not errors:
                        number = idle.pop(0)
                        running[threads.submit(_execute, waiting.pop(name), workers[number], number)] = name, number
                if not running:
                    break
                # Windows doesn't see Ctrl-C while it waits.
                done, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
                for future in done:
                    name, number = running.pop(future)
                    idle.append(number)
                    try:
                        seconds = future.result()
                    except (CourseError, Failed) as error:
                        errors.append(error)
                        if running:
                            tqdm.write(f"{name} failed; what runs is finished, and nothing else begins")
                    else:
                        finished += 1
                        tqdm.write(f"[{finished}/{len(tasks)}] {name}: {seconds:.0f} s")
                    sys.stdout.flush()
        except KeyboardInterrupt as error:
            names = " and ".join(name for name, _ in running.values())
            raise Interrupted(
                f"Stopped{' in ' if names else ''}{names}; what is finished is in {out}, and the same "
                "command with -p resume true goes on from the last full epoch."
            ) from error
    if errors:
        raise type(errors[0])("; ".join(map(str, errors)))


def _execute(task: Task, worker: Worker, line: int) -> float:
    """How many seconds a notebook took."""
    began = time.perf_counter()
    with Progress(task.name, len(notebooks.read_source(Path(task.path)).cells), line) as progress:
        worker.execute(task, progress.cell_starts)
    return time.perf_counter() - began


@contextlib.contextmanager
def _workers(number: int) -> Iterator[list[Worker]]:
    """Workers for a while; whatever happens, none stays."""
    workers: list[Worker] = []
    try:
        for _ in range(number):
            workers.append(Worker())
        yield workers
    finally:
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.wait()
