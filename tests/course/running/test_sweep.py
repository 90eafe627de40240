"""Sweeps: which runs they have, what becomes of them on real workers of Dask, and what is refused before anything runs.

Most notebooks here are executed by a stand-in for papermill, without a kernel, for the sake of time.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from course_samples import START, write_notebook
from distributed import Client

from core.command import Failed
from core.errors import CourseError
from core.files import ROOT
from core.training_state import alone_in
from course.__main__ import main
from course.notebooks import source as notebooks
from course.records import origin
from course.records.record import Record
from course.running.sweep import agreement, cluster, grid
from course.running.sweep.plan import Present, plan
from course.running.sweep.task import log_of, memory_watched

SAVE = "record.save()"
SEED = 'seed = 0\nout = "../runs/lab"'
RATE = 'seed = 0\nlearning_rate = 1e-3\nout = "../runs/lab"'
PLAIN = 'radius = 2\nout = "../runs/lab"'
DEADLINE = 300  # seconds; a busy machine takes its time

PAPERMILL = """
import asyncio, os
import nbformat
from papermill.exceptions import PapermillExecutionError


def execute_notebook(source, target, parameters, cwd, on_cell_start, **_):
    os.chdir(cwd)
    asyncio.run(execute(source, parameters, on_cell_start, target))


async def execute(source, parameters, on_cell_start, target):
    names = {}
    try:
        for number, cell in enumerate(source.cells):
            if cell.cell_type == "code":
                on_cell_start(cell, number)
                exec(cell.source, names)
                if "parameters" in cell.metadata.get("tags", []):
                    names.update(parameters)
    except Exception as error:
        raise PapermillExecutionError(number, number, cell.source, type(error).__name__, str(error), []) from error
    finally:
        nbformat.write(source, target)
"""
TORCH = """
from types import SimpleNamespace

cuda = mps = SimpleNamespace(is_available=lambda: False)
backends = SimpleNamespace(mps=mps)


def get_num_threads():
    return 1


def __getattr__(name):
    return object
"""
EXCEPTIONS = """
class PapermillExecutionError(Exception):
    def __init__(self, cell_index, exec_count, source, ename, evalue, traceback):
        self.exec_count, self.ename, self.evalue = exec_count, ename, evalue
"""


SUBMIT = """#!{python}
import subprocess, sys
nowhere = {{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}}
print("Submitted batch job", subprocess.Popen(["sh", sys.argv[-1]], start_new_session=True, **nowhere).pid)
"""
CANCEL = """#!{python}
import os, signal, sys
for job in sys.argv[1:]:
    os.killpg(int(job), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    """A folder on whose path workers find the stand-in."""
    folder = tmp_path_factory.mktemp("stand-in")
    (folder / "papermill").mkdir()
    (folder / "papermill" / "__init__.py").write_text(PAPERMILL)
    (folder / "papermill" / "exceptions.py").write_text(EXCEPTIONS)
    # Both take a second or two to import, and nobody needs them here.
    (folder / "torch.py").write_text(TORCH)
    (folder / "rfc3987_syntax.py").write_text("raise ImportError")
    return folder


@pytest.fixture(scope="module")
def processes(stand_in, tmp_path_factory):
    """A scheduler and two workers, started as docs/sweeps.md says, whose notebooks the stand-in executes."""
    folder = tmp_path_factory.mktemp("dask")
    path = os.pathsep.join(filter(None, [str(stand_in), os.environ.get("PYTHONPATH")]))
    dask, file = [sys.executable, "-m", "dask"], ["--scheduler-file", str(folder / "scheduler.json")]
    quiet = {"env": os.environ | {"PYTHONPATH": path}, "stderr": subprocess.DEVNULL}
    started = [
        subprocess.Popen([*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *file], **quiet)
    ]
    try:
        wait_for(folder / "scheduler.json")
        started.append(subprocess.Popen([*dask, "worker", *file, "--nworkers", "2", "--nthreads", "1"], **quiet))
        yield json.loads((folder / "scheduler.json").read_text())["address"], started
    finally:
        all_of_them = [each for process in started for each in family(process)]
        for process in all_of_them:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        for process in started:
            process.wait()


@pytest.fixture
def address(processes):
    return processes[0]


def family(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    return []


def wait_for(path):
    deadline = time.monotonic() + DEADLINE
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"waited in vain for {path}"
        time.sleep(0.1)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of notebooks."""
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path / "notebooks")
    return tmp_path / "notebooks"


def keys(runs):
    return [run.key for run in runs]


def test_a_parameter_multiplies_only_those_that_know_it_or_come_after_such(course, tmp_path):
    write_notebook(course, "01_a", parameters=SEED)
    write_notebook(course, "02_b", parameters=RATE)
    write_notebook(course, "03_c", parameters=PLAIN, after=["01_a"])
    write_notebook(course, "04_d", parameters=PLAIN)
    runs = plan(notebooks.choose([]), {"seed": ["0", "1"], "learning_rate": ["1e-3", "3e-3"]}, "quick", tmp_path)
    assert keys(runs) == [
        "seed=0/01_a",
        "seed=1/01_a",
        "seed=0,learning_rate=0.001/02_b",
        "seed=0,learning_rate=0.003/02_b",
        "seed=1,learning_rate=0.001/02_b",
        "seed=1,learning_rate=0.003/02_b",
        "seed=0/03_c",
        "seed=1/03_c",
        "shared/04_d",
    ]
    assert [run.after for run in runs[6:]] == [("seed=0/01_a",), ("seed=1/01_a",), ()]
    assert runs[2].task.parameters == {
        "seed": 0,
        "learning_rate": 1e-3,
        "out": str(tmp_path / "seed=0,learning_rate=0.001"),
    }
    assert runs[7].command == f"python -m course run 01_a 03_c -p seed 1 --out .../{runs[7].folder.parent.name}" or (
        "'" in runs[7].command
    )


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
    assert grid.values("x", text) == expected


def test_folders_are_named_so_that_a_person_can_read_them():
    values = {"seed": 0, "learning_rate": 1e-3, "data": "/a/my houses", "depths": [20, 35], "modern": True}
    assert grid.folder_name(values | {"resume": True}) == (
        "seed=0,learning_rate=0.001,data=my_houses,depths=[20,35],modern=true"
    )
    assert grid.folder_name({}) == "shared"


def sweep(address, out, *words):
    return main(["sweep", *words, "--scheduler", address, "--out", str(out)])


def test_a_sweep_leaves_what_runs_leave_and_goes_on(address, course, tmp_path, capsys):
    count = f"with open({str(tmp_path / 'count')!r}, 'a') as file: file.write('x')"
    write_notebook(course, "01_first", START, count, SAVE, parameters=SEED)
    read = "from course.records.record import load_results\nassert load_results(out)['01_first']['seed'] == seed"
    write_notebook(course, "02_second", START, count, read, SAVE, parameters=RATE, after=["01_first"])
    out = tmp_path / "out"
    words = ["-p", "seed", "1", "-p", "learning_rate", "1e-3,3e-3"]
    assert sweep(address, out, *words) == 0
    assert "[3/3]" in capsys.readouterr().out and (tmp_path / "count").read_text() == 3 * "x"
    folder = out / "seed=1,learning_rate=0.003"
    record = json.loads((folder / "02_second" / "results.json").read_text())
    assert record["parameters"] == {"seed": 1, "learning_rate": 0.003}
    assert record["command"].startswith("python -m course run 01_first 02_second -p seed 1 -p learning_rate 3e-3 --out")
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["02_second.ipynb", "results.json"]
    assert (folder / "01_first").resolve() == out / "seed=1" / "01_first"

    assert sweep(address, out, *words) == 0
    assert "3 runs of notebooks, 3 of them there already" in capsys.readouterr().out
    (folder / "02_second" / "results.json").write_text('{"half": ')
    assert sweep(address, out, "-p", "seed", "1,2", "-p", "learning_rate", "3e-3") == 0
    assert "4 runs of notebooks, 1 of them there already" in capsys.readouterr().out
    assert (tmp_path / "count").read_text() == 6 * "x"

    runs = plan(notebooks.choose([]), {"seed": ["1"], "learning_rate": ["1e-3"]}, "quick", out)
    assert not Present().missing(runs)
    (out / "seed=1" / "01_first" / "01_first.ipynb").rename(tmp_path / "kept.ipynb")
    assert Present().missing(runs) == runs  # what comes after it is done anew as well
    (tmp_path / "kept.ipynb").rename(out / "seed=1" / "01_first" / "01_first.ipynb")
    notebook = nbformat.read(course / "02_second.ipynb", as_version=4)
    notebook.cells[0].source = "another text"
    nbformat.write(notebook, course / "02_second.ipynb")
    assert not Present().missing(runs)
    notebook.cells[2].source += "\n# another code"
    nbformat.write(notebook, course / "02_second.ipynb")
    assert keys(Present().missing(runs)) == ["seed=1,learning_rate=0.001/02_second"]


def test_jobs_that_slurm_starts_are_workers(stand_in, course, tmp_path, capsys, monkeypatch):
    """As docs/sweeps.md says, with a stand-in for SLURM's commands that starts each job here."""
    interrupted = signal.getsignal(signal.SIGINT)
    jobqueue = pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed: run make test.")
    signal.signal(signal.SIGINT, interrupted)  # its import puts another handler there
    for name, program in (("sbatch", SUBMIT), ("scancel", CANCEL)):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(program.format(python=sys.executable))
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    write_notebook(course, "01_a", START, SAVE, parameters=SEED)
    lines = ["export OMP_NUM_THREADS=1", f"export PYTHONPATH={stand_in}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"]
    options = {"cores": 1, "processes": 1, "memory": "1GB", "walltime": "00:10:00", "job_script_prologue": lines}
    here = {"scheduler_options": {"host": "127.0.0.1", "dashboard_address": ":0"}, "local_directory": str(tmp_path)}
    with jobqueue.SLURMCluster(**options, **here) as cluster:
        cluster.scale(jobs=2)
        assert sweep(cluster.scheduler_address, tmp_path / "out", "-p", "seed", "0..3") == 0
    assert "[4/4]" in capsys.readouterr().out


def test_what_was_made_from_something_else_is_not_whole(course, tmp_path, small_facades, monkeypatch):
    path = write_notebook(course, "01_first", START)
    monkeypatch.chdir(course)
    (run,) = plan([path], {"data": [str(small_facades)], "seed": ["1"]}, "quick", tmp_path / "out")
    values = notebooks.defaults(notebooks.read(path)) | run.task.parameters
    Record.start("01_first", values["out"], values).save()
    present = Present()
    assert not present.is_whole(run)  # without the executed notebook
    Path(run.task.target).touch()
    assert present.is_whole(run)
    made = (run.folder / "results.json").read_text()
    for change in (
        lambda record: record["parameters"].update(seed=2),
        lambda record: record["packages"].update(torch="1.0"),
        lambda record: record["origin"]["code"].update({"core/record.py": "another"}),
        lambda record: record["origin"]["data"].update(data="another"),
        lambda record: record.pop("origin"),
    ):
        record = json.loads(made)
        change(record)
        (run.folder / "results.json").write_text(json.dumps(record))
        assert not present.is_whole(run)


def test_other_data_are_not_the_same(small_facades, course):
    notebook = notebooks.read(write_notebook(course, "01_first"))
    before = origin.data(notebook, {"data": str(small_facades), "seed": 0}, "out")
    assert list(before) == ["data"] and before == origin.data(notebook, {"data": str(small_facades)}, "out")
    next(small_facades.rglob("*.png")).write_bytes(b"another")
    assert before != origin.data(notebook, {"data": str(small_facades)}, "out")


def test_failures_cost_themselves_and_are_named(address, course, tmp_path, capsys):
    """The first run takes its worker with it, once; the second one always fails; the third one finds no space."""
    mark = f"""import os, pathlib, resource, signal
mark = pathlib.Path({str(tmp_path)!r}, f"tried_{{seed}}")
first = not mark.exists()
with mark.open("a") as file: file.write("x")"""
    kill = "if seed == 0 and first:\n    os.kill(os.getppid(), signal.SIGKILL)\n    import time\n    time.sleep(3600)"
    broken = 'if seed == 1: raise ValueError("broken")'
    save = """if seed == 2:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
try:
    record.save()
finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)"""
    write_notebook(course, "01_first", START, mark, kill, broken, save, parameters=SEED)
    write_notebook(course, "02_second", START, SAVE, parameters=PLAIN, after=["01_first"])
    out = tmp_path / "out"
    assert sweep(address, out, "-p", "seed", "0..2") == 1
    output, error = capsys.readouterr()
    assert "[2/6]" in output and "[3/6]" not in output
    assert error.startswith("error: 2 of 6 runs failed: ") and error.count("\n") == 1
    log = out / "seed=1" / "01_first" / "01_first.log"
    assert "seed=1/01_first (01_first stopped in cell In [" in error and "ValueError: broken; what ran of it" in error
    assert f"its log is {log}" in error and log.read_text().count("started by process") == 2
    assert "CourseError: Cannot write" in error and "free some space" in error
    skipped = error.split("not run, as they come after these: ")[1]
    assert skipped == "seed=1/02_second, seed=2/02_second; the same command tries them again.\n"
    assert [(tmp_path / f"tried_{seed}").read_text() for seed in range(3)] == 3 * ["xx"]
    assert {path.relative_to(out).parts[0] for path in out.rglob("*/results.json")} == {"seed=0"}


def test_a_run_whose_worker_died_twice_is_not_begun_again(course, tmp_path):
    (run,) = plan([write_notebook(course, "01_first", parameters=SEED)], {"seed": ["0"]}, "quick", tmp_path)
    run.folder.mkdir(parents=True)
    for _ in range(2):
        with log_of(run) as log:
            kept = Path(log.name).read_bytes()
        Path(log.name).write_bytes(kept)  # as it stays where the worker dies
    with pytest.raises(Failed, match="its worker died each time"), log_of(run):
        pytest.fail("begun")


@pytest.mark.parametrize(
    "words, message",
    [
        (["-p", "sed", "0..2"], 'There is no parameter of these notebooks "sed"; did you mean "seed"?'),
        (["-p", "out", "x"], "--out DIR"),
        (["-p", "seed", "0..x"], 'The range "0..x" for seed can\'t be read'),
        (["-p", "seed", "4..0"], 'The range "4..0" for seed can\'t be read'),
        (["-p", "seed", "0..9999999999"], "has more than 100,000 values"),
        (["-p", "seed", "0,,1"], "A value is missing"),
        (["-p", "seed", "0..3,2"], "seed is to be 2 twice"),
        (["-p", "learning_rate", "1e-3,0.001"], "would share the folder"),
        (["-p", "seed", "0", "-p", "seed", "1"], "The parameter seed is given twice"),
        (["-p", "seed", "1.5"], 'The parameter seed cannot be "1.5"'),
        (["-p", "learning_rate", "0..1"], "learning_rate is 0.0; give a number above 0"),
        (["-p", "seed", "0..99", "-p", "epochs", "1..11"], "These are 1,100 runs of notebooks, more than 1,000"),
        (["04_first"], 'no notebook "04_first"'),
        (["--preset", "fll"], 'did you mean "full"'),
        (["--jobs", "0"], "--jobs is 0"),
        (["--jobs", "2", "--scheduler", "tcp://127.0.0.1:1"], "don't go together"),
        (["--scheduler", "tcp://127.0.0.1:1"], "There is no scheduler at tcp://127.0.0.1:1"),
        (["--scheduler", "nonsense"], "There is no scheduler at nonsense"),
        (["--out", "/dev/null/x"], "Cannot write to /dev/null/x"),
    ],
)
def test_wrong_arguments_are_found_before_anything_runs(course, tmp_path, capsys, monkeypatch, words, message):
    write_notebook(course, "01_first", START, SAVE)
    monkeypatch.setattr(cluster, "LocalCluster", None, raising=False)
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    assert main(["sweep", "--out", str(tmp_path / "out"), *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and error.count("\n") == 1
    assert {path.name for path in (tmp_path / "out").glob("*")} <= {".lock"}


def test_workers_of_another_version_are_refused(address, tmp_path, monkeypatch):
    mine = agreement.versions()
    with Client(address) as client:
        for name, what in ((agreement.CODE, "code of the course"), ("torch", "version of torch")):
            with monkeypatch.context() as patch:
                here = mine | {name: "something else"}
                patch.setattr(agreement, "package_versions", lambda here=here: here)
                with pytest.raises(CourseError) as caught:
                    agreement.check(client, tmp_path)
            words = f"another {what} ({mine[name]}) than the one who began the sweep (something else)"
            assert "The worker tcp://127.0.0.1:" in str(caught.value) and words in str(caught.value)
    assert agreement.differing({"a": "1"}, {"a": "1", "b": "2"}).startswith("has another version of b (2)")


def test_a_folder_that_workers_do_not_share_is_refused(tmp_path):
    class Client:
        def run(self, function, *arguments, on_error):
            return {"tcp://elsewhere:1": agreement.versions() if not arguments else FileNotFoundError()}

    with pytest.raises(CourseError, match="The worker tcp://elsewhere:1 doesn't share the folder"):
        agreement.check(Client(), tmp_path)
    assert not list(tmp_path.iterdir())


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


def test_a_notebook_that_takes_too_much_memory_is_ended():
    class Greedy:
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])

    with memory_watched(Greedy, limit=1000) as exceeded:
        assert Greedy.process.wait(DEADLINE) == -signal.SIGKILL
    assert exceeded.is_set()


def start(course: Path, out: Path, *words: str) -> subprocess.Popen:
    """A sweep in a process of its own, as from a terminal."""
    script = f"""
import signal, sys
from pathlib import Path
from course.notebooks import source as notebooks
from course.__main__ import main
from course.records.record import Record

if __name__ == "__main__":
    notebooks.FOLDER = Path({str(course)!r})
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let background jobs ignore it
    sys.exit(main(["sweep", "--out", {str(out)!r}, *{list(words)!r}]))
"""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, start_new_session=True, **pipes)


def test_a_stopped_sweep_leaves_no_process(course, tmp_path):
    """With real kernels, on a worker of its own."""
    pid = tmp_path / "pid"
    write = f"import os, pathlib, time\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\ntime.sleep(3600)"
    write_notebook(course, "01_first", write, SAVE)
    process = start(course, tmp_path / "out", "--jobs", "1", "-p", "seed", "1")
    begun = []
    try:
        wait_for(pid)
        begun = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, error = process.communicate(timeout=DEADLINE)
        _, alive = psutil.wait_procs(begun, timeout=60)
    finally:
        process.kill()
        for left in begun:
            if left.is_running():
                left.kill()
    assert int(pid.read_text()) in {each.pid for each in begun} and not alive
    assert error == "error: Stopped; 0 of 1 runs are done, and the same command goes on with the others.\n"
    assert process.returncode == 130 and not list((tmp_path / "out").rglob("*.ipynb"))


def test_a_scheduler_that_goes_away_is_told(processes, course, tmp_path, capsys):
    """The last test: it kills the scheduler that the others use."""
    address, (scheduler, _) = processes
    started = tmp_path / "started"
    write_notebook(course, "01_first", f"open({str(started)!r}, 'w').write('x')\nimport time\ntime.sleep(3600)")

    def kill() -> None:
        wait_for(started)
        scheduler.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    assert sweep(address, tmp_path / "out", "-p", "seed", "0") == 2
    thread.join()
    assert "The scheduler is gone; 0 of 1 runs are done" in capsys.readouterr().err
