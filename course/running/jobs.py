"""How many notebooks this machine runs at a time, and the threads of each."""

import os

MEMORY = 3 * 2**30  # bytes; what the largest notebook takes in the quick configuration, and some more


def default_jobs() -> int:
    """As many notebooks at a time as there are cores and memory for; one where they would share a GPU."""
    import joblib  # not above, nor the others: most commands need none of them
    import psutil

    from core.devices import best_device

    if best_device().type != "cpu":
        return 1
    return max(1, min(joblib.cpu_count(), psutil.virtual_memory().available // MEMORY))


def threads_of_each(jobs: int) -> str:
    """The OMP_NUM_THREADS for each of the notebooks that run at a time; what is set there already wins."""
    import joblib

    return os.environ.get("OMP_NUM_THREADS") or str(max(1, joblib.cpu_count() // jobs))
