"""Notebooks side by side: small ones, really executed; what becomes of those that run when one fails or all stop."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import joblib
import psutil
import pytest
import torch
from course_samples import START, write_notebook

from core import devices
from core.files import ROOT
from course.__main__ import main
from course.notebooks import source as notebooks
from course.running import run
from course.running.side_by_side import MEMORY, default_jobs, most_at_a_time, share_of_threads

SAVE = "record.save()"
DEADLINE = 300  # seconds; a busy machine takes its time
WAIT = f"""
import pathlib, time

def wait_for(path, text=""):
    deadline = time.monotonic() + {DEADLINE}
    while not (pathlib.Path(path).exists() and text in pathlib.Path(path).read_text()):
        assert time.monotonic() < deadline, f"waited in vain for {{path}}"
        time.sleep(0.1)
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of notebooks."""
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path / "notebooks")
    return tmp_path / "notebooks"


def test_two_run_side_by_side_and_a_third_waits_for_them(course, tmp_path, capsys):
    for name, other in (("01_first", "02_second"), ("02_second", "01_first")):
        met = f'pathlib.Path(out, "{name}.here").touch()\nwait_for(pathlib.Path(out, "{other}.here"))'
        write_notebook(course, name, START, WAIT, met, SAVE)
    read = 'from course.records.record import load_results\nassert list(load_results(out)) == ["01_first", "02_second"]'
    write_notebook(course, "03_third", read, START, SAVE, after=["01_first", "02_second"])
    out = tmp_path / "out"
    assert main(["run", "03_third", "01_first", "02_second", "--jobs", "3", "--out", str(out)]) == 0
    lines = [line.split(":")[0] for line in capsys.readouterr().out.splitlines() if line.startswith("[")]
    assert [line.split()[0] for line in lines] == ["[1/3]", "[2/3]", "[3/3]"] and lines[2] == "[3/3] 03_third"


def test_records_are_those_of_a_run_one_after_another(course, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    train = """import torch
from core.training import seed_everything
seed_everything(seed)
layer = torch.nn.Linear(64, 64)
optimizer = torch.optim.SGD(layer.parameters(), lr=learning_rate)
for _ in range(20):
    loss = layer(torch.randn(256, 64)).square().mean()
    loss.backward()
    optimizer.step()"""
    for name in ("01_first", "02_second"):
        write_notebook(course, name, START, train, 'record.save(measured={"loss": loss.item()})')
    records = {}
    for jobs in ("1", "2"):
        out = tmp_path / jobs / "out"
        assert main(["run", "-p", "seed", "3", "--jobs", jobs, "--out", str(out)]) == 0
        records[jobs] = [json.loads((out / name / "results.json").read_text()) for name in ("01_first", "02_second")]
        assert all(record.pop("wall_time") > 0 for record in records[jobs])
    assert records["1"] == records["2"]
    assert torch.cuda.is_available() or records["2"][0]["device"].endswith(", 1 threads")


def start(course: Path, out: Path, *arguments: str, **options: object) -> subprocess.Popen:
    """A run in a process of its own, as from a terminal."""
    script = f"""
import signal, sys
from pathlib import Path
from course.notebooks import source as notebooks
from course.__main__ import main

notebooks.FOLDER = Path({str(course)!r})
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let background jobs ignore it
sys.exit(main(["run", "--out", {str(out)!r}, *{list(arguments)!r}]))
"""
    return subprocess.Popen(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True, **options
    )


def test_what_runs_when_another_fails_is_finished_and_nothing_else_begins(course, tmp_path):
    out, printed = tmp_path / "out", tmp_path / "printed"
    write_notebook(course, "01_first", 'raise ValueError("broken")')
    write_notebook(course, "02_second", START, WAIT, f'wait_for({str(printed)!r}, "01_first failed")', SAVE)
    write_notebook(course, "03_third", START, SAVE)
    with printed.open("w") as file:
        process = start(course, out, "--jobs", "2", stdout=file)
        try:
            _, error = process.communicate(timeout=2 * DEADLINE)
        finally:
            process.kill()
    assert process.returncode == 1
    failed = out / "01_first" / "01_first.failed.ipynb"
    assert (
        error == f"error: 01_first stopped in cell In [3] with ValueError: broken; what ran of it is kept in {failed}\n"
    )
    files = sorted(path.name for path in out.rglob("*") if path.is_file())
    assert files == ["01_first.failed.ipynb", "02_second.ipynb", "results.json"]


def sleeping(course: Path, name: str, pid: Path) -> None:
    write = f"import os, pathlib, time\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\ntime.sleep(3600)"
    write_notebook(course, name, START, write, SAVE)


def wait_for_pids(process: subprocess.Popen, *files: Path) -> None:
    deadline = time.monotonic() + DEADLINE
    while not all(file.exists() and file.read_text() for file in files):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("stop, jobs", [(signal.SIGINT, 1), (signal.SIGINT, 2), (signal.SIGKILL, 2)])
def test_a_stopped_run_leaves_what_is_finished_and_no_process(course, tmp_path, monkeypatch, stop, jobs):
    # On a busy machine nbclient finds its kernel dead before it has tidied up after it: here it always does.
    (tmp_path / "sitecustomize.py").write_text("""
import sys

if "course.running.worker" in sys.orig_argv:
    import asyncio
    from jupyter_client import AsyncKernelManager

    tidy = AsyncKernelManager.cleanup_resources

    async def slowly(manager, restart=False):
        await asyncio.sleep(2)
        await tidy(manager, restart)

    AsyncKernelManager.cleanup_resources = slowly
""")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")])))
    write_notebook(course, "01_first", START, SAVE)
    names = ["02_second", "03_third"][:jobs]
    for name in names:
        sleeping(course, name, tmp_path / name)
    out = tmp_path / "out"
    process = start(course, out, "--jobs", str(jobs), stdout=subprocess.PIPE)
    begun = []
    try:
        wait_for_pids(process, *(tmp_path / name for name in names))
        begun = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, stop)  # as a terminal does
        _, error = process.communicate(timeout=DEADLINE)
        _, alive = psutil.wait_procs(begun, timeout=0 if stop == signal.SIGINT else DEADLINE)
    finally:
        process.kill()
        for left in begun:
            if left.is_running():
                left.kill()
    assert {int((tmp_path / name).read_text()) for name in names} < {each.pid for each in begun}
    assert not alive
    if stop == signal.SIGINT:
        assert process.returncode == 130
        assert error.strip().splitlines() == [
            f"error: Stopped in {' and '.join(names)}; what is finished is in {out}, and the same command with "
            "-p resume true goes on from the last full epoch."
        ]
    files = sorted(path.name for path in out.rglob("*") if path.is_file())
    assert files == ["01_first.ipynb", "results.json"]


@pytest.mark.parametrize(
    "cores, memory, device, jobs", [(8, 64, "cpu", 8), (8, 7, "cpu", 2), (2, 1, "cpu", 1), (8, 64, "cuda", 1)]
)
def test_jobs_come_from_cores_memory_and_device(monkeypatch, cores, memory, device, jobs):
    monkeypatch.setattr(joblib, "cpu_count", lambda: cores)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=memory * 2**30))
    monkeypatch.setattr(devices, "best_device", lambda: torch.device(device))
    assert MEMORY == 3 * 2**30 and default_jobs() == jobs


@pytest.mark.parametrize(
    "names, jobs, given, threads",
    [
        ([], 4, None, "2"),  # 8 cores
        ([], 3, None, "2"),
        ([], 16, None, "1"),
        ([], 4, "5", "5"),
        (["02_b", "03_c"], 4, None, "8"),  # never two of a chain at a time
        (["01_a"], 4, None, "8"),
    ],
)
def test_each_notebook_gets_its_share_of_threads(course, tmp_path, monkeypatch, names, jobs, given, threads):
    for name in ("01_a", "02_b", "03_c", *(f"{number:02}_d" for number in range(4, 20))):
        write_notebook(course, name, after=["02_b"] if name == "03_c" else ())
    monkeypatch.setattr(joblib, "cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if given:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    seen = []
    monkeypatch.setattr(run, "execute_side_by_side", lambda *_: seen.append(os.environ["OMP_NUM_THREADS"]))
    run.run(names, out=str(tmp_path / "out"), jobs=jobs)
    assert seen == [threads]
    assert os.environ.get("OMP_NUM_THREADS") == given


def test_a_share_is_a_thread_at_least(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    assert [share_of_threads(jobs) for jobs in (1, 2, 5)] == [2, 1, 1]


def test_how_many_can_run_at_a_time():
    assert most_at_a_time({"1": [], "2": ["1"], "3": ["1", "2"]}) == 1
    assert most_at_a_time({"1": [], "2": [], "3": ["2"], "4": ["2", "3"], "5": []}) == 3
