"""Sweeps: which runs they have, what becomes of them on Dask, and what is refused before anything runs.

Where a notebook's kernel doesn't matter its code is executed by a stand-in, in a thread of the test's own process.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import nbformat
import psutil
import pytest
from course_samples import START, write_notebook

from core.command import Failed
from core.errors import CourseError
from core.files import ROOT
from core.training_state import alone_in
from course.cli import main
from course.notebooks import source as notebooks
from course.records import origin
from course.running import sweep
from course.running.sweep import missing_of, plan

SAVE = "record.save()"
SEED = 'seed = 0\nout = "../runs/lab"'
RATE = 'seed = 0\nlearning_rate = 1e-3\nout = "../runs/lab"'
PLAIN = 'radius = 2\nout = "../runs/lab"'
DEADLINE = 300  # seconds; a busy machine takes its time


def wait_until(true) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of notebooks."""
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path / "notebooks")
    return tmp_path / "notebooks"


@pytest.fixture
def executed(course, monkeypatch):
    """A stand-in for kernels; gives the runs that were tried, in order."""
    tried, lock = [], threading.Lock()

    def execute(task, threads=None):
        with lock:  # they share the working folder and the modules' state
            tried.append(f"{task.out.name}/{task.name}")
            names = {}
            monkeypatch.chdir(task.path.parent)
            monkeypatch.setenv("COURSE_COMMAND", task.command)
            notebook = notebooks.read(task.path)
            try:
                for cell in notebook.cells:
                    if cell.cell_type == "code":
                        exec(cell.source, names)
                        names.update(task.parameters if "parameters" in cell.metadata.get("tags", []) else {})
            except Exception as error:
                raise Failed(f"{task.name} stopped with {type(error).__name__}: {error}") from error
            task.executed.parent.mkdir(exist_ok=True)
            nbformat.write(notebook, task.executed)
            return 0.0

    monkeypatch.setattr(sweep, "execute", execute)
    return tried


def keys(runs):
    return [run.key for run in runs]


def run_sweep(out, *words):
    return main(["sweep", *words, "--jobs", "2", "--out", str(out)])


def test_a_parameter_multiplies_only_those_that_know_it_or_are_tied_to_such(course, tmp_path):
    write_notebook(course, "01_a", parameters=SEED)
    write_notebook(course, "02_b", parameters=RATE)
    write_notebook(course, "03_c", parameters=PLAIN, after=["01_a"])
    write_notebook(course, "04_d", parameters=PLAIN)
    runs = plan(notebooks.choose([]), {"seed": ["0", "1"], "learning_rate": ["1e-3", "3e-3"]}, "quick", tmp_path)
    assert sorted(keys(runs)) == [
        "seed=0,learning_rate=0.001/02_b",
        "seed=0,learning_rate=0.003/02_b",
        "seed=0/01_a",
        "seed=0/03_c",
        "seed=1,learning_rate=0.001/02_b",
        "seed=1,learning_rate=0.003/02_b",
        "seed=1/01_a",
        "seed=1/03_c",
        "shared/04_d",
    ]
    runs = {run.key: run for run in runs}
    assert runs["seed=1/03_c"].after == ("seed=1/01_a",) and runs["seed=1/01_a"].after == ()
    parameters = {"seed": 0, "learning_rate": 1e-3, "out": str(tmp_path / "seed=0,learning_rate=0.001")}
    assert runs["seed=0,learning_rate=0.001/02_b"].task.parameters == parameters
    assert runs["seed=1/03_c"].task.command == "python -m course run 01_a 03_c -p seed 1 --out .../seed=1"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("0..4", ["0", "1", "2", "3", "4"]),
        ("1e-3,3e-3", ["1e-3", "3e-3"]),
        ("0..1, 7,-2..-1", ["0", "1", "7", "-2", "-1"]),
        ("[20,35],[20]", ["[20,35]", "[20]"]),
        ("../houses,cmp", ["../houses", "cmp"]),
        ("", [""]),
    ],
)
def test_values_are_read(text, expected):
    assert sweep.values("x", text) == expected


def test_a_sweep_of_the_whole_course_leaves_what_runs_leave_and_goes_on(course, executed, tmp_path, capsys):
    """The first notebook leaves no record, as 00_start does: it is a run like any other, and never whole."""
    write_notebook(course, "00_start", "1 + 1", parameters='out = "../runs/lab"')
    write_notebook(course, "01_first", START, SAVE, parameters=SEED)
    read = "from course.records.record import load_results\nassert load_results(out)['01_first']['seed'] == seed"
    write_notebook(course, "02_second", START, read, SAVE, parameters=RATE, after=["01_first"])
    out = tmp_path / "out"
    assert run_sweep(out, "-p", "seed", "0..1") == 0
    assert "[5/5]" in capsys.readouterr().out and len(executed) == 5
    record = json.loads((out / "seed=1" / "02_second" / "results.json").read_text())
    assert record["parameters"] == {"seed": 1, "learning_rate": 0.001}
    assert record["command"] == "python -m course run 01_first 02_second -p seed 1 --out .../seed=1"
    files = sorted(path.name for path in (out / "seed=1").rglob("*") if path.is_file())
    assert files == ["01_first.ipynb", "02_second.ipynb", "results.json", "results.json"]

    executed.clear()
    assert run_sweep(out, "-p", "seed", "0..1") == 0 and executed == ["shared/00_start"]
    assert "5 runs of notebooks, 4 of them there already" in capsys.readouterr().out
    (out / "seed=1" / "01_first" / "results.json").write_text('{"half": ')
    executed.clear()
    assert run_sweep(out, "-p", "seed", "1..2") == 0
    assert {key for key in executed if key.startswith("seed=1")} == {"seed=1/01_first", "seed=1/02_second"}


def test_what_was_made_from_something_else_is_made_anew(course, executed, tmp_path, small_facades):
    path = write_notebook(course, "01_first", START, SAVE)
    (run,) = plan([path], {"data": [str(small_facades)], "seed": ["1"]}, "quick", tmp_path / "out")
    run.task.out.mkdir(parents=True)
    sweep.execute(run.task)
    assert not missing_of([run])
    made = run.task.record.read_text()
    for change in (
        lambda record: record["parameters"].update(seed=2),
        lambda record: record["packages"].update(torch="1.0"),
        lambda record: record["origin"]["code"].update({"core/record.py": "another"}),
        lambda record: record["origin"]["data"].update(data="another"),
        lambda record: record.pop("origin"),
    ):
        record = json.loads(made)
        change(record)
        run.task.record.write_text(json.dumps(record))
        assert missing_of([run]) == [run]
    run.task.record.write_text(made)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = "another text"
    nbformat.write(notebook, path)
    assert not missing_of([run])
    next(small_facades.rglob("*.png")).write_bytes(b"another")
    assert missing_of([run]) == [run]
    run.task.executed.unlink()
    assert missing_of([run]) == [run]


def test_changed_label_maps_behind_a_link_are_noticed(course, tmp_path, small_facades):
    (small_facades / "base").rename(tmp_path / "elsewhere")
    (small_facades / "base").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    before = origin.digest(small_facades)
    next((tmp_path / "elsewhere").rglob("*.png")).write_bytes(b"another")
    assert origin.digest(small_facades) != before


def test_failures_cost_themselves_and_are_tried_once_more(course, executed, tmp_path, capsys):
    once = f"""import pathlib
mark = pathlib.Path({str(tmp_path / "mark")!r})
if seed == 0 and not mark.exists():
    mark.touch()
    raise OSError("no space")"""
    broken = 'if seed == 1: raise ValueError("broken")'
    write_notebook(course, "01_first", START, once, broken, SAVE, parameters=SEED)
    write_notebook(course, "02_second", START, SAVE, parameters=PLAIN, after=["01_first"])
    out = tmp_path / "out"
    assert run_sweep(out, "-p", "seed", "0..1") == 1
    assert capsys.readouterr().err == (
        "error: seed=1/01_first: 01_first stopped with ValueError: broken; "
        "not run, as they read what failed: seed=1/02_second\n"
    )
    assert sorted(executed) == 2 * ["seed=0/01_first"] + ["seed=0/02_second"] + 2 * ["seed=1/01_first"]
    assert {path.relative_to(out).parts[0] for path in out.rglob("*/results.json")} == {"seed=0"}


@pytest.mark.parametrize(
    "words, message",
    [
        (["-p", "sed", "0..2"], 'There is no parameter of these notebooks "sed"; did you mean "seed"?'),
        (["-p", "out", "x"], "--out DIR"),
        (["-p", "seed", "0..x"], 'The range "0..x" for seed can\'t be read'),
        (["-p", "seed", "4..0"], 'The range "4..0" for seed can\'t be read'),
        (["-p", "seed", "0..9999999999"], "no more than 100,000"),
        (["-p", "seed", "0..999", "-p", "epochs", "1..999"], "more than 100,000 combinations"),
        (["-p", "seed", "0,,1"], "A value is missing"),
        (["-p", "seed", "0..3,2"], "would share the folder"),
        (["-p", "learning_rate", "1e-3,0.001"], "would share the folder"),
        (["-p", "seed", "0", "-p", "seed", "1"], "A parameter is given twice"),
        (["-p", "seed", "1.5"], 'The parameter seed cannot be "1.5"'),
        (["-p", "learning_rate", "0..1"], "learning_rate is 0.0; give a number above 0"),
        (["04_first"], 'no notebook "04_first"'),
        (["--preset", "fll"], 'did you mean "full"'),
        (["--jobs", "0"], "--jobs is 0"),
        (["--jobs", "2", "--scheduler", "tcp://127.0.0.1:1"], "don't go together"),
        (["--scheduler", "tcp://127.0.0.1:1"], "There is no scheduler at tcp://127.0.0.1:1"),
        (["--scheduler", "nonsense"], "There is no scheduler at nonsense"),
        (["--out", "/dev/null/x"], "Cannot write to /dev/null/x"),
    ],
)
def test_wrong_arguments_are_found_before_anything_runs(
    course, executed, tmp_path, capsys, monkeypatch, words, message
):
    write_notebook(course, "01_first", START, SAVE)
    monkeypatch.setattr(sweep, "PATIENCE", 0.2)
    assert main(["sweep", "--out", str(tmp_path / "out"), *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and error.count("\n") == 1
    assert {path.name for path in (tmp_path / "out").glob("*")} <= {".lock"} and not executed


def test_two_sweeps_into_one_folder(course, tmp_path, capsys):
    write_notebook(course, "01_first", START, SAVE)
    with alone_in(tmp_path / "out", "sweep"):
        assert main(["sweep", "--out", str(tmp_path / "out")]) == 2
    assert "Another sweep is writing to" in capsys.readouterr().err


def test_without_dask_one_sentence_says_what_to_install(course, tmp_path, capsys, monkeypatch):
    write_notebook(course, "01_first", START, SAVE)
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["sweep", "--out", str(tmp_path / "out")]) == 2
    assert '".[sweep]"' in capsys.readouterr().err


def test_a_worker_of_another_version_or_without_the_folder_does_nothing(course, executed, tmp_path, monkeypatch):
    write_notebook(course, "01_first", START, SAVE)
    (run,) = plan(notebooks.choose([]), {}, "quick", tmp_path)
    with pytest.raises(CourseError, match="sees no folder"):
        sweep._on_worker(run.task, None, sweep._version())
    run.task.out.mkdir()
    wanted = sweep._version()
    assert sweep._on_worker(run.task, None, wanted) == 0.0
    monkeypatch.setattr(sweep, "package_versions", lambda: {"torch": "1.0"})
    with pytest.raises(CourseError, match="another version of the course or its packages"):
        sweep._on_worker(run.task, None, wanted)
    assert len(executed) == 1


@pytest.fixture
def cluster(tmp_path):
    """A scheduler's address, and a scheduler and a worker, started as docs/sweeps.md says."""
    dask, file = [sys.executable, "-m", "dask"], ["--scheduler-file", str(tmp_path / "scheduler.json")]
    started = []
    try:
        for words in (
            ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
            ["worker", "--nworkers", "1", "--nthreads", "1", "--no-dashboard"],
        ):
            started.append(subprocess.Popen([*dask, *words, *file], stderr=subprocess.DEVNULL))
            wait_until(lambda: (tmp_path / "scheduler.json").exists())
        yield json.loads((tmp_path / "scheduler.json").read_text())["address"], started[0]
    finally:
        for process in started:
            for each in [*psutil.Process(process.pid).children(recursive=True), process]:
                each.kill()
            process.wait()


def test_a_killed_worker_costs_no_run_and_a_scheduler_that_goes_away_is_told(cluster, course, tmp_path, capsys):
    """With real kernels: the first run takes its worker with it, once; the second one never ends."""
    address, scheduler = cluster
    mark, started = tmp_path / "mark", tmp_path / "started"
    kill = f"""import os, pathlib, signal, time
mark = pathlib.Path({str(mark)!r})
if not mark.exists():
    mark.touch()
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(3600)"""
    write_notebook(course, "01_first", START, kill, SAVE, parameters=SEED)
    out = tmp_path / "out"
    assert main(["sweep", "--scheduler", address, "--out", str(out)]) == 0 and mark.exists()
    assert "[1/1] shared/01_first: " in capsys.readouterr().out and (out / "shared/01_first/results.json").exists()

    write_notebook(course, "01_first", f"open({str(started)!r}, 'w').close()\nimport time\ntime.sleep(3600)")
    thread = threading.Thread(target=lambda: (wait_until(started.exists), scheduler.kill()))
    thread.start()
    assert main(["sweep", "--scheduler", address, "--out", str(out), "-p", "seed", "0"]) == 2
    thread.join()
    assert "The scheduler is gone; 0 of 1 runs are done" in capsys.readouterr().err


def test_a_stopped_sweep_leaves_no_process(course, tmp_path):
    """With a real kernel."""
    pid = tmp_path / "pid"
    write = f"import os, pathlib, time\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\ntime.sleep(3600)"
    write_notebook(course, "01_first", write, SAVE)
    script = f"""
import signal, sys
from pathlib import Path
from course.notebooks import source as notebooks
from course.cli import main

notebooks.FOLDER = Path({str(course)!r})
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let background jobs ignore it
sys.exit(main(["sweep", "--out", {str(tmp_path / "out")!r}, "--jobs", "1", "-p", "seed", "1..2"]))
"""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, start_new_session=True, **pipes)
    try:
        wait_until(lambda: process.poll() is not None or pid.exists() and pid.read_text())
        begun = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, error = process.communicate(timeout=DEADLINE)
        _, alive = psutil.wait_procs(begun, timeout=DEADLINE)
    finally:
        process.kill()
    assert int(pid.read_text()) in {each.pid for each in begun} and not alive
    assert error == "error: Stopped; 0 of 2 runs are done, and the same command goes on with the others.\n"
    assert process.returncode == 130 and not list((tmp_path / "out").rglob("*.ipynb"))
