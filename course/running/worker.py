"""A process that executes notebooks, one after another, and both ends of the pipe between it and the run.

The run writes a task a line; the worker answers with a line for each cell it begins and one for the end. It ends when
the pipe does, with the kernel it has: when the run is over, is stopped, or is killed.
"""

import _thread
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from core.command import Failed
from core.errors import CourseError

PATIENCE = 60  # seconds in which a worker ends its kernel; a kernel whose worker is gone ends by itself
ERRORS = {error.__name__: error for error in (Failed, CourseError)}


@dataclass(frozen=True)
class Task:
    """What `course.running.execute.execute` is to do.

    Attributes:
        path: the notebook.
        parameters: by name; plain values.
        target: where the executed notebook goes.
    """

    path: str
    parameters: Mapping[str, object]
    target: str

    @property
    def name(self) -> str:
        """The notebook's name, without .ipynb."""
        return Path(self.path).stem


class Worker:
    """The run's end.

    Args:
        variables: of its environment, beside those that this process has.
        log: where it writes what it has to tell besides answers; by default, where this process does.
    """

    def __init__(self, variables: Mapping[str, str] | None = None, log: BinaryIO | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "course.running.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
            env={**os.environ, **(variables or {})},
            # Ctrl-C is for the run alone, which then stops its workers; the second is Windows' word for it.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def execute(self, task: Task, cell_starts: Callable[[int], None]) -> None:
        """Has a notebook executed, and waits for it.

        Raises:
            CourseError, Failed: as `course.running.execute.execute`; also Failed: the process is gone.
        """
        with contextlib.suppress(OSError, ValueError):  # there is no answer then
            _say(self.process.stdin, asdict(task))
            for line in self.process.stdout:
                answer = json.loads(line)
                if "cell" in answer:
                    cell_starts(answer["cell"])
                elif answer["error"] is None:
                    return
                else:
                    raise ERRORS[answer["error"]](answer["message"])
        raise Failed(f"{task.name} lost the process that executed it, perhaps for lack of memory")

    def stop(self) -> None:
        """Has the process end, also in the middle of a notebook."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def wait(self) -> None:
        """Waits until a stopped process, and with it its kernel, is gone."""
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def _say(channel: TextIO, message: Mapping[str, object]) -> None:
    channel.write(json.dumps(message) + "\n")
    channel.flush()


def _listen(tasks: queue.SimpleQueue) -> None:
    """Reads tasks until the run ends or stops; then interrupts what is executed, and the waiting for more."""
    for line in sys.stdin:
        tasks.put(Task(**json.loads(line)))
    _thread.interrupt_main()
    tasks.put(None)


def main() -> None:
    """The worker's end."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let background jobs ignore it
    # Kernels inherit the standard output, and what they write there is no answer.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    tasks = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(tasks,), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        from course.running.execute import execute  # not above: the run's end needs neither papermill nor kernels
        from course.running.kernels import own_kernel

        with own_kernel():
            while True:
                task = tasks.get()
                answer = {"error": None}
                try:
                    execute(
                        Path(task.path),
                        task.parameters,
                        Path(task.target),
                        lambda number: _say(channel, {"cell": number}),
                    )
                except tuple(ERRORS.values()) as error:
                    answer = {"error": type(error).__name__, "message": str(error)}
                _say(channel, answer)


if __name__ == "__main__":
    main()
