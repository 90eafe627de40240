"""Work on a hand-in in a process of its own, with limits of time and memory: what happens there costs only itself."""

import json
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection

from core.command import Failed

LARGEST = 50 * 2**20  # bytes of an answer
DIED = "its process died, perhaps for lack of memory or for too much output; none of its points count"
# Where there is a server to fork from, what takes seconds to import is imported once.
PROCESSES = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
PROCESSES.set_forkserver_preload(["course.teaching.grading.execute", "course.teaching.grading.converters"])


def apart(function: Callable, *arguments: object, seconds: float, memory: float) -> object:
    """What a function of a module answers, called in a process of its own.

    Args:
        function: its answer is made of JSON's types.
        seconds: how long it may take.
        memory: gigabytes for the process, and for each that it starts.

    Raises:
        Failed: the process has ended without an answer, or didn't answer in time.
    """
    receiver, sender = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_work, args=(sender, function, arguments, seconds, memory), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(seconds):
            raise Failed(f"it was stopped after {seconds / 60:.2g} minutes and didn't answer; none of its points count")
        return json.loads(receiver.recv_bytes(LARGEST))
    except (EOFError, OSError) as error:
        raise Failed(DIED) from error
    finally:
        process.kill()
        process.join()
        receiver.close()


def _work(sender: Connection, function: Callable, arguments: tuple, seconds: float, memory: float) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # what it prints, or a kernel does, is not for the grader
        os.dup2(nowhere, number)
    _limit(seconds, memory)
    sender.send_bytes(json.dumps(function(*arguments)).encode())


def _limit(seconds: float, memory: float) -> None:
    try:
        import resource
    except ImportError:  # Windows knows no such limits; there, time alone is limited
        return
    cpu, size = int(seconds) * (os.cpu_count() or 1), int(memory * 2**30)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))
