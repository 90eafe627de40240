"""Where a hand-in runs: a fresh copy of the course and a fresh home, under bubblewrap where there is one."""

import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

MARK = "COURSE_GRADING"  # the variable by which a hand-in's processes are known
PASSED_ON = ("PATH", "LANG", "TZ", "SYSTEMROOT", "ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY")
PASSED_ON_PREFIXES = ("LC_", "OMP_", "MKL_", "KMP_")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/etc/alternatives")
WARNING = (
    "warning: bubblewrap (bwrap) wasn't found, or can't be used here, so hand-ins run with your rights: they can read "
    "your files and use the network; see docs/instructors/index.md, What is stopped."
)


@contextmanager
def workplace(course: Path, mark: str) -> Iterator[Path]:
    """A folder for one hand-in, with `course/` and `home/`; in the end it goes, and with it all processes marked so."""
    # Short, as it holds the sockets by which the kernel is spoken to.
    with tempfile.TemporaryDirectory(prefix="g", ignore_cleanup_errors=True) as folder:
        place = Path(folder).resolve()
        shutil.copytree(course, place / "course")
        (place / "home" / "tmp").mkdir(parents=True)
        try:
            yield place
        finally:
            end(mark)


def environment(place: Path, mark: str) -> dict[str, str]:
    """The variables that a hand-in sees: nothing of the instructor's but the path and the number of threads."""
    home = place / "home"
    folders = {
        name: str(home)
        for name in ("HOME", "USERPROFILE", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "MPLCONFIGDIR")
    }
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP", "JUPYTER_RUNTIME_DIR"), str(home / "tmp"))
    passed_on = {
        name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }
    course = {"PYTHONPATH": str(place / "course"), "PYTHONNOUSERSITE": "1", "COURSE_COMMAND": "python -m course grade"}
    return {**passed_on, **folders, **temporary, **course, MARK: mark}


def command(place: Path) -> list[str]:
    """What to write before a command so that it sees the system and the course's modules, can change its own folder
    alone, and has no network; nothing where there is no bubblewrap."""
    if not has_bubblewrap():
        return []
    packages = [path.parent for path in (place / "course").glob("*/__init__.py")]
    return [
        *_bubblewrap(),
        *("--bind", str(place), str(place)),
        *(part for package in packages for part in ("--ro-bind", str(package), str(package))),
    ]


@functools.cache
def has_bubblewrap() -> bool:
    """Whether bubblewrap is here and works; if not, a warning is printed once."""
    try:
        works = shutil.which("bwrap") and subprocess.run([*_bubblewrap(), sys.executable, "-c", ""]).returncode == 0
    except OSError:
        works = False
    if not works:
        print(WARNING, file=sys.stderr)
    return bool(works)


def _bubblewrap() -> list[str]:
    python = {sys.prefix: None, sys.base_prefix: None}
    here = Path(__file__).parent  # where the course is installed into the environment, this holds the hidden tests
    return [
        *("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *("--unsetenv", "JPY_PARENT_PID", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),
        *(part for path in [*SYSTEM, *python] for part in ("--ro-bind-try", path, path)),
        *(("--tmpfs", str(here)) if any(here.is_relative_to(path) and _installed(here) for path in python) else ()),
    ]


def _installed(folder: Path) -> bool:
    return "site-packages" in folder.parts


def end(mark: str) -> None:
    """Ends all processes that carry the mark, or one that begins with it, also those that have left their session."""
    for _ in range(20):
        found = [process for process in psutil.process_iter() if _marked(process, mark)]
        for process in found:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        if not found:
            return
        time.sleep(0.05)


def _marked(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(MARK, "").startswith(mark) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False
