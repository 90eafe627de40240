"""A sweep of eight short runs, one at a time and two: `python -m benchmarks.sweep`.

Each run computes matrix products for some seconds of processor time on one thread, in a notebook with a kernel of its
own. The two take turns; the medians of the wall times t1 and t2 over the rounds, Dask's start and end included, give
the efficiency t1 / (2 · t2), on two cores that are idle otherwise.
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
from course.running.sweep import sweep

OUT = ROOT / "files" / "benchmarks" / "sweep.json"
RUNS = 8
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
    """How many seconds the sweep takes with so many runs at a time."""
    with tempfile.TemporaryDirectory() as out:
        started = time.perf_counter()
        sweep([], [("seed", f"0..{RUNS - 1}")], out, jobs=jobs)
        return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of processor time in each run (default: 10)")
    options = parser.parse_args()
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
    print(f"one at a time {one:.1f} s, two {two:.1f} s, efficiency {one / (2 * two):.2f}; {OUT}")


if __name__ == "__main__":
    main()
