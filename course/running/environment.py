"""Whether this machine has what the notebooks need: a sentence for each problem, with its remedy."""

import importlib
import importlib.metadata
import os
import re
import shutil
import sys
from pathlib import Path

from core.errors import CourseError
from core.files import ROOT, check_writable
from core.record import read_record
from course.notebooks import source as notebooks
from course.notebooks.hiding import hiding
from course.records.record import load_results
from course.running.jobs import MEMORY

RECORDED = "files/results/builtin_seed?"  # runs in the quick configuration, one thread each
DISK = 2**30  # bytes; what the notebooks write, twice over
GIB = 2**30
# What takes so long to import, at the first time, that it looks like a standstill.
SLOW_TO_IMPORT = ("numpy", "scipy", "matplotlib.pyplot", "cv2", "sklearn", "torch", "torchvision", "timm")
RENEW = "make the environment anew with `make clean lab`."


def problems(out: str | Path) -> list[str]:
    """A sentence for each thing that is wrong with this machine, with what to do about it; none if all is well.

    Args:
        out: the folder that the results are to go to.
    """
    return [
        *_versions((ROOT / "constraints.txt").read_text(encoding="utf-8")),
        *hiding(notebooks.FOLDER),
        *_unwritable((out, notebooks.FOLDER, ROOT / "dataset")),
        *_space(Path(out).resolve()),
        *_threads(os.environ.get("OMP_NUM_THREADS"), os.cpu_count() or 1),
    ]


def surroundings() -> list[str]:
    """What is worth knowing and nothing to mend: cores and threads, and which photographs are at hand."""
    threads = os.environ.get("OMP_NUM_THREADS")
    used = f"a notebook computes on {threads}" if threads else "a notebook computes on all (OMP_NUM_THREADS is not set)"
    there = [f"dataset/{name}" for name in ("cmp", "voc") if (ROOT / "dataset" / name).is_dir()]
    photographs = " and ".join(there) or "none fetched"
    return [
        f"Python {sys.version.split()[0]}, {os.cpu_count()} cores; {used}.",
        f"Photographs: {photographs}. The notebooks need none as they stand; `course data cmp` fetches facades.",
    ]


def import_slowly(name: str) -> list[str]:
    """Imports a package; a sentence if it can't be."""
    try:
        importlib.import_module(name)
    except Exception as error:  # packages that don't fit each other raise what they like
        first_line = str(error).strip().split("\n")[0]
        return [f"{name} can't be imported ({type(error).__name__}: {first_line}): {RENEW}"]
    return []


def draw_facades() -> None:
    """Draws the built-in facades where they aren't there, with a progress bar."""
    from fcn.facades.drawing import write_facades  # not above: it takes a second to import

    write_facades(ROOT / "dataset" / "builtin", progress=True)


def speed(out: str | Path, root: Path = ROOT) -> str:
    """How this machine compares with the recorded runs, by the seconds of the first training at hand.

    Args:
        out: the folder of the results at hand.
        root: the course's folder, for the recorded ones.

    Raises:
        CourseError: a record can't be read.
    """
    for name, own in load_results(out).items():
        for path in sorted(root.glob(f"{RECORDED}/{name}.json")):
            other = read_record(path)
            if own["history"] and other["history"] and own["parameters"] == other["parameters"]:
                here, there = (sum(epoch["seconds"] for epoch in record["history"]) for record in (own, other))
                return f"Training takes {here / there:.1f} times as long here as recorded, by notebook {int(name[:2])}."
    return "Nothing has been trained here yet: run notebook 1, then this cell again."


def _versions(constraints: str) -> list[str]:
    """What of the course's requirements is missing, or has another version than was tested."""
    found, pins = [], {_normalised(name): pin for name, pin in re.findall(r"(?m)^([\w.-]+)==(\S+)$", constraints)}
    for requirement in importlib.metadata.requires("fcn-cam-course") or []:
        name = _normalised(re.match(r"[\w.-]+", requirement)[0])
        if "extra ==" in requirement or name not in pins:
            continue
        try:
            version = importlib.metadata.version(name).split("+")[0]  # behind the plus torch says which build it is
        except importlib.metadata.PackageNotFoundError:
            found.append(f"The package {name} is missing: {RENEW}")
            continue
        if version != pins[name]:
            found.append(f"{name} is {version}, and the course was tested with {pins[name]}: {RENEW}")
    return found


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _unwritable(folders: tuple[str | Path, ...]) -> list[str]:
    found = []
    for folder in folders:
        try:
            check_writable(folder)
        except CourseError as error:
            found.append(f"{str(error).split(';')[0]}: copy the course's folder to a place of your own.")
    return found


def _space(out: Path) -> list[str]:
    import psutil  # not above: it is among what is checked

    found, memory = [], psutil.virtual_memory().available
    disk = shutil.disk_usage(next(folder for folder in (out, *out.parents) if folder.exists())).free
    if memory < MEMORY:
        most = f"a notebook can take {MEMORY / GIB:.0f}"
        found.append(f"{memory / GIB:.1f} GiB of memory are free, and {most}: close other programs.")
    if disk < DISK:
        found.append(f"{disk / GIB:.1f} GiB of disk are free, the notebooks may write {DISK / GIB:.0f}: free some.")
    return found


def _threads(wanted: str | None, cores: int) -> list[str]:
    if wanted is None:
        return []
    if not wanted.isdecimal() or int(wanted) == 0:
        return [f'OMP_NUM_THREADS is "{wanted}", which is no number of threads: set it to {cores}, or leave it out.']
    if int(wanted) > cores:
        return [f"OMP_NUM_THREADS is {wanted} on {cores} cores, so threads wait for each other: set it to {cores}."]
    return []
