"""A sweep of eight short runs with one worker and with two: `python -m benchmarks.sweep`.

Each run computes matrix products for some seconds of processor time on one thread, in a notebook with a kernel of its
own. The two take turns; the medians of the wall times t1 and t2 over the rounds, workers' start and end included, give
the efficiency t1 / (2 · t2), on two cores that are idle otherwise. With `--scheduling`, a thousand tasks that do
nothing tell what Dask itself takes for each, in processor time of the process that holds client and scheduler.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from core.files import ROOT
from core.record import new_record, write_record
from course.notebooks import source as notebooks
from course.running.sweep.cluster import workers
from course.running.sweep.run import sweep

OUT = ROOT / "files" / "benchmarks" / "sweep.json"
RUNS, TASKS = 8, 1000
BUSY = """import time
import numpy
from course.records.record import Record
record = Record.start("short", out, globals())
square = numpy.ones((300, 300))
while time.process_time() < seconds:
    square @ square
record.save()"""


def write_short(folder: Path, seconds: float) -> None:
    """A notebook that takes so many seconds of processor time."""
    parameters = new_code_cell(f'seconds = {seconds}\nseed = 0\nout = "../runs/lab"')
    parameters.metadata.tags = ["parameters"]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    notebook = new_notebook(cells=[parameters, new_code_cell(BUSY)], metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "short.ipynb")


def timed(jobs: int) -> float:
    """How many seconds the sweep takes with so many workers."""
    with tempfile.TemporaryDirectory() as out:
        started = time.perf_counter()
        sweep([], [("seed", f"0..{RUNS - 1}")], out, jobs=jobs)
        return time.perf_counter() - started


def scheduling() -> dict[str, float]:
    """Seconds for each of the tasks that do nothing, on a worker."""
    with workers(1, None) as client:
        client.gather(client.map(_nothing, range(10), pure=False))
        began, processor = time.perf_counter(), time.process_time()
        client.gather(client.map(_nothing, range(TASKS), pure=False))
        return {
            "wall_seconds": (time.perf_counter() - began) / TASKS,
            "processor_seconds": (time.process_time() - processor) / TASKS,
        }


def _nothing(number: int) -> None:
    pass


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of processor time in each run (default: 10)")
    parser.add_argument("--scheduling", action="store_true", help="only tell what scheduling takes; no record is kept")
    options = parser.parse_args()
    if options.scheduling:
        cost = scheduling()
        print(f"{TASKS} tasks that do nothing, for each: {1000 * cost['wall_seconds']:.1f} ms, of which the client and")
        print(f"the scheduler took {1000 * cost['processor_seconds']:.1f} ms of processor time")
        return
    started = time.perf_counter()
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        notebooks.FOLDER = Path(folder)
        write_short(notebooks.FOLDER, options.seconds)
        for _ in range(options.rounds):
            for jobs, times in seconds.items():
                times.append(timed(jobs))
    one, two = (statistics.median(times) for times in seconds.values())
    record = new_record(
        f"python -m benchmarks.sweep --rounds {options.rounds} --seconds {options.seconds:g}",
        {"runs": RUNS, "seconds": options.seconds, "rounds": options.rounds},
        started,
        measured={"wall_seconds": seconds, "efficiency": round(one / (2 * two), 3)},
    )
    write_record(record, OUT)
    print(f"1 worker {one:.1f} s, 2 workers {two:.1f} s, efficiency {one / (2 * two):.2f}; {OUT}")


if __name__ == "__main__":
    main()
