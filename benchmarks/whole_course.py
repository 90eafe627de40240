"""The whole course, in two versions: `python -m benchmarks.whole_course BEFORE AFTER`.

BEFORE and AFTER are two checkouts, each in a folder of its own. The packages are installed first; then `make run` takes
turns in the two, alone on the machine, and the median wall time over the rounds is given for each, and the longest
notebook. AFTER then runs those notebooks once more that BEFORE has too. Other versions of the packages are part of what
is compared.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

from core.files import ROOT
from core.record import new_record, write_record

OUT = ROOT / "files" / "benchmarks" / "whole_course.json"
QUICK = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}  # as the Makefile has them
SAME = "after, the same notebooks"


def seconds_of(folder: Path, *command: str) -> float:
    """How many seconds a command takes in a folder."""
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, env=os.environ | QUICK)
    return time.perf_counter() - started


def notebooks(run: Path) -> dict[str, float]:
    """The seconds that each notebook of a run took."""
    return {path.parent.name: json.loads(path.read_text())["wall_time"] for path in sorted(run.glob("*/results.json"))}


def commit(folder: Path) -> str:
    return subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whole_course", description=__doc__)
    parser.add_argument("before", type=Path, metavar="BEFORE")
    parser.add_argument("after", type=Path, metavar="AFTER")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    began = time.perf_counter()
    folders = {"before": options.before.resolve(), "after": options.after.resolve()}
    for folder in folders.values():
        seconds_of(folder, "make", ".venv/course.stamp")
    of_before = sorted(path.stem for path in (folders["before"] / "notebooks").glob("*.ipynb"))
    course = [".venv/bin/python", "-m", "course", "run", *of_before]
    seconds: dict[str, list[float]] = {name: [] for name in (*folders, SAME)}
    for round_ in range(options.rounds):
        out = f"runs/benchmark{round_}"
        for name, folder in folders.items():
            seconds[name].append(seconds_of(folder, "make", "run", f"OUT={out}"))
        seconds[SAME].append(seconds_of(folders["after"], *course, "--out", f"{out}_same"))
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    measured = {
        "commits": {name: commit(folder) for name, folder in folders.items()},
        "rounds": options.rounds,
        "seconds": {name: round(median, 1) for name, median in medians.items()},
        "ratio": round(medians["before"] / medians["after"], 2),
        "ratio_same": round(medians["before"] / medians[SAME], 2),
        "notebooks": {name: notebooks(folder / "runs" / "benchmark0") for name, folder in folders.items()},
    }
    record = new_record(
        f"python -m benchmarks.whole_course BEFORE AFTER --rounds {options.rounds}", {}, began, measured=measured
    )
    write_record(record, OUT)
    for name in folders:
        longest = max(measured["notebooks"][name].items(), key=lambda pair: pair[1])
        print(f"{name:7} {medians[name]:7.0f} s, the longest notebook {longest[0]} with {longest[1]:.0f} s")
    print(f"{measured['ratio']} times, {measured['ratio_same']} times for the same notebooks; {OUT}")


if __name__ == "__main__":
    main()
