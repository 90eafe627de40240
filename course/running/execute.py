"""Executes notebooks with papermill, each with a kernel of its own, several side by side."""

import contextlib
import graphlib
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from core.command import Failed, Interrupted
from core.errors import CourseError
from core.files import write_atomically
from course.notebooks import source as notebooks
from course.records.record import FILE
from course.running.kernels import own_kernels

RUN = "COURSE_RUN"  # a variable that kernels have: the folder of their run
START = 300  # seconds for a kernel to start; a busy machine takes its time


@dataclass(frozen=True)
class Task:
    """One notebook that is to be executed.

    Attributes:
        path: the notebook.
        parameters: by name; plain values. None leaves the notebook's cells as they are.
        out: the run's folder.
        command: what repeats the run, for the record.
    """

    path: Path
    parameters: Mapping[str, object]
    out: Path
    command: str

    @property
    def name(self) -> str:
        """The notebook's name, without .ipynb."""
        return self.path.stem

    @property
    def record(self) -> Path:
        """Where the notebook writes its record, if it does."""
        return self.out / self.name / FILE

    @property
    def executed(self) -> Path:
        """The notebook with its outputs."""
        return self.out / self.name / self.path.name

    @property
    def failed(self) -> Path:
        """The outputs of a notebook that stopped with an error."""
        return self.executed.with_suffix(".failed.ipynb")

    def remove_stale(self) -> None:
        """Removes an earlier run's record and notebook: a reader must never take them for this one's."""
        for stale in (self.record, self.executed, self.failed):
            stale.unlink(missing_ok=True)


def execute(task: Task, threads: str | None = None, bar: bool = False) -> float:
    """Runs a notebook, writes it with its outputs, and returns how many seconds that took.

    Args:
        threads: the kernel's OMP_NUM_THREADS; by default as in this process.
        bar: whether a bar follows the cells, on a terminal.

    Raises:
        CourseError: the notebook can't be read or written.
        Failed: it stopped with an error: the message names the notebook, the cell and the error.
    """
    import papermill  # not above, nor the others: they take a second
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # a failure is told once, by Failed
    variables = {"COURSE_COMMAND": task.command, RUN: str(task.out)} | ({"OMP_NUM_THREADS": threads} if threads else {})
    began, begun, shown = time.perf_counter(), [], []
    try:
        notebook = papermill.execute_notebook(
            notebooks.read(task.path),
            None,  # it is written here, once
            parameters=task.parameters,
            kernel_name="python3",
            language="python",
            progress_bar={"desc": task.name, "leave": False, "disable": None} if bar else False,
            start_timeout=START,
            resources={"metadata": {"path": str(task.path.parent)}},
            kernel_manager_class=own_kernels(variables),
            on_notebook_start=lambda notebook: shown.append(notebook),
            on_cell_execute=lambda cell, cell_index: begun.append(cell_index),
            record_timing=False,
            shutdown_kernel="immediate",  # all is written; Python needs a second to take torch down
        )
    except PapermillExecutionError as error:
        _write(shown[0], task.failed)
        raise Failed(
            f"{task.name} stopped in cell In [{error.exec_count}] with {_last_line(error)}; what ran of it is kept in "
            f"{task.failed}"
        ) from error
    except RuntimeError as error:  # nbclient's: no cell has an error to show
        reason = str(error).rstrip(".")
        raise Failed(
            f"{task.name} lost its kernel in cell In [{len(begun)}], perhaps for lack of memory ({reason})"
        ) from error
    _write(notebook, task.executed)
    return time.perf_counter() - began


def _write(notebook: object, target: Path) -> None:
    """Writes an executed notebook without papermill's metadata, which would differ in every run."""
    import nbformat

    for part in (notebook, *notebook.cells):
        part.metadata.pop("papermill", None)
    with write_atomically(target) as temporary:
        nbformat.write(notebook, temporary)


def _last_line(error: Exception) -> str:
    lines = f"{error.ename}: {error.evalue}".strip().splitlines()
    return lines[0] if error.ename == "CourseError" or len(lines) == 1 else f"{error.ename}: {lines[-1]}"


def execute_all(tasks: Sequence[Task], after: Mapping[str, Sequence[str]], jobs: int, threads: str) -> None:
    """Executes notebooks, each as soon as those it reads are done, and prints a line as each is.

    One that fails costs only those that read it.

    Args:
        tasks: where several could begin, the first does; all of one run.
        after: for each notebook those whose records it reads, all of them among the tasks.
        jobs: how many at a time, at most.
        threads: for each.

    Raises:
        Failed: at least one failed; the message has a sentence for each.
        Interrupted: Ctrl-C; all kernels have ended.
    """
    from tqdm import tqdm

    named = {task.name: task for task in tasks}
    order = graphlib.TopologicalSorter({name: after[name] for name in named})
    order.prepare()
    ready: list[str] = []
    running: dict[Future[float], str] = {}
    errors: dict[str, Exception] = {}
    finished = 0
    with ThreadPoolExecutor(jobs) as pool:
        try:
            while True:
                ready = sorted([*ready, *order.get_ready()], key=list(named).index)
                while ready and len(running) < jobs:
                    name = ready.pop(0)
                    running[pool.submit(execute, named[name], threads, bar=True)] = name
                if not running:
                    break
                # Windows doesn't see Ctrl-C while it waits.
                for future in wait(running, timeout=1.0, return_when=FIRST_COMPLETED).done:
                    name = running.pop(future)
                    try:
                        seconds = future.result()
                    except (CourseError, Failed) as error:
                        errors[name] = error
                        tqdm.write(f"{name} failed")
                    else:
                        order.done(name)
                        finished += 1
                        tqdm.write(f"[{finished}/{len(tasks)}] {name}: {seconds:.0f} s")
                    sys.stdout.flush()
        except KeyboardInterrupt as error:
            pool.shutdown(wait=False, cancel_futures=True)
            at_work = [name for future, name in running.items() if future.running()]
            while wait(running, timeout=0.2).not_done:  # one may be about to start its kernel
                end_kernels(tasks[0].out)
            raise Interrupted(
                f"Stopped{' in ' if at_work else ''}{' and '.join(at_work)}; what is finished is in {tasks[0].out}, "
                "and the same command with -p resume true goes on from the last full epoch."
            ) from error
    if errors:
        raise failure(errors, after)


def end_kernels(out: Path) -> None:
    """Ends the kernels of this process that write into a folder, or into one within it."""
    import psutil

    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if Path(process.environ().get(RUN, os.devnull)).is_relative_to(out):
                process.kill()


def failure(errors: Mapping[str, Exception], after: Mapping[str, Sequence[str]]) -> Failed:
    """The error for runs of which some failed: a sentence for each, and what was not run for it.

    Args:
        errors: by the run's name.
        after: for each run in order those that it reads.
    """
    skipped: list[str] = []
    for name, earlier in after.items():
        if any(other in errors or other in skipped for other in earlier):
            skipped.append(name)
    message = "; ".join(str(error) for name, error in errors.items() if name not in skipped)
    return Failed(message + (f"; not run, as they read what failed: {', '.join(skipped)}" if skipped else ""))
