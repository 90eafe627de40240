"""The workers of a sweep: as many as wanted on this machine, or those of a scheduler that runs already."""

import contextlib
import importlib.util
import logging
import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.errors import CourseError
from course.running.side_by_side import share_of_threads

if TYPE_CHECKING:
    from distributed import Client

PATIENCE = 10  # seconds in which a scheduler has to answer
WAIT = 60  # seconds in which its first worker has to come


@contextlib.contextmanager
def workers(jobs: int, scheduler: str | None) -> Iterator["Client"]:
    """A client of workers for a while; those on this machine then end.

    Each of these executes a notebook at a time, with its share of the memory that is available, and is replaced when
    it dies.

    Args:
        jobs: how many workers on this machine.
        scheduler: the address of one; there are no workers of our own then.

    Raises:
        CourseError: the scheduler doesn't answer, or has no worker.
    """
    import dask
    import psutil
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL + 1)  # the sweep itself says what went wrong
    if scheduler:
        with _connected(scheduler) as client:
            yield client
        return
    # Which run killed a worker its log says; those that waited behind it are not to blame.
    with dask.config.set({"distributed.scheduler.allowed-failures": 1000}):
        # Ctrl-C is for the sweep alone, which then ends its workers: they begin with what it does about it, nothing.
        interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            cluster = LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                memory_limit=psutil.virtual_memory().available // jobs,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL + 1,
            )
        finally:
            signal.signal(signal.SIGINT, interrupted)
        with cluster, Client(cluster) as client:
            yield client


@contextlib.contextmanager
def _connected(scheduler: str) -> Iterator["Client"]:
    from distributed import Client
    from distributed.comm import CommClosedError

    try:
        client = Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError, TypeError) as error:
        raise CourseError(
            f"There is no scheduler at {scheduler}; start one with `dask scheduler` and give the address it prints."
        ) from error
    try:
        if not client.scheduler_info()["workers"]:
            print(f"The scheduler at {scheduler} has no worker yet; waiting {WAIT} s for one", flush=True)
        try:
            client.wait_for_workers(1, timeout=WAIT)
        except TimeoutError as error:
            raise CourseError(
                f"The scheduler at {scheduler} has no worker; start some with `dask worker {scheduler} --nthreads 1`."
            ) from error
        yield client
    except CommClosedError as error:
        raise CourseError(f"The scheduler at {scheduler} is gone; start another and repeat the command.") from error
    finally:
        client.close(timeout=2)


def threads(jobs: int, scheduler: str | None) -> str | None:
    """The threads for each notebook; workers of another's scheduler have their own number."""
    return None if scheduler else os.environ.get("OMP_NUM_THREADS") or str(share_of_threads(jobs))


def dashboard(client: "Client") -> str | None:
    """The address of Dask's dashboard; None where it isn't installed with the scheduler."""
    with contextlib.suppress(Exception):  # a scheduler without the course has none that we could know of
        if client.run_on_scheduler(importlib.util.find_spec, "bokeh"):
            return client.dashboard_link
    return None
