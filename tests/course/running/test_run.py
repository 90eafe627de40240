"""`course run`: which notebooks are executed with what and where; small ones, really executed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import joblib
import nbformat
import psutil
import pytest
import torch
from course_samples import START, write_notebook

from core import devices
from core.errors import CourseError
from core.files import ROOT
from course.cli import main
from course.notebooks import parameters
from course.notebooks import source as notebooks
from course.running import run
from course.running.jobs import MEMORY, default_jobs, threads_of_each
from course.running.store import store

SAVE = "record.save()"
DEADLINE = 300  # seconds; a busy machine takes its time


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of notebooks in a folder whose name papermill would take for a template."""
    folder = tmp_path / "note{b}ooks"
    monkeypatch.setattr(notebooks, "FOLDER", folder)
    monkeypatch.setattr(run, "RUNS", tmp_path / "runs")
    return folder


@pytest.fixture
def dry(monkeypatch):
    """What each notebook would be given; none is executed."""
    calls = {}

    def note(tasks, after, jobs, threads):
        calls.update({task.name: task.parameters for task in tasks}, threads=threads)

    monkeypatch.setattr(run, "execute_all", note)
    return calls


def record_of(out: Path, name: str) -> dict:
    return json.loads((out / name / "results.json").read_text())


def files_in(out: Path) -> list[str]:
    return sorted(path.name for path in out.rglob("*") if path.is_file())


def test_notebooks_run_in_order_with_their_parameters(course, tmp_path, capsys, monkeypatch):
    write_notebook(course, "01_first", START, "import os, sys\nprint(sys.executable, os.getcwd())", SAVE)
    write_notebook(
        course,
        "02_second",
        "import json, pathlib",
        'before = json.loads(pathlib.Path(out, "01_first", "results.json").read_text())',
        'assert before["seed"] == 7',
        START,
        SAVE,
        parameters='seed = 0\nwidth = 0.5\nout = "../runs/lab"',
        after=["01_first"],
    )
    # Another kernel of the same name, which must not be taken.
    other = tmp_path / "share" / "kernels" / "python3"
    other.mkdir(parents=True)
    (other / "kernel.json").write_text('{"argv": ["/bin/false"], "display_name": "x", "language": "python"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))

    out = tmp_path / "out"
    words = ["-p", "seed", "7", "-p", "learning_rate", "1"]
    assert main(["run", *words, "--jobs", "2", "--out", str(out)]) == 0
    assert record_of(out, "01_first")["parameters"]["learning_rate"] == 1.0
    assert record_of(out, "02_second")["parameters"] == {"seed": 7, "width": 0.5}
    command = "python -m course run -p seed 7 -p learning_rate 1 --out .../out"
    assert record_of(out, "01_first")["command"] == command
    executed = nbformat.read(out / "01_first" / "01_first.ipynb", as_version=4)
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert code[3].outputs[0].text.strip() == f"{sys.executable} {course}"
    assert not any("papermill" in part.metadata for part in (executed, *executed.cells))
    printed = capsys.readouterr().out
    assert printed.index("[1/2] 01_first: ") < printed.index("[2/2] 02_second: ") < printed.index("Report: ")
    assert "COURSE_COMMAND" not in os.environ


def test_records_are_those_of_a_run_one_after_another(course, tmp_path, monkeypatch):
    """The two that run side by side wait for each other, so that they do."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    train = f"""import pathlib, time, torch
from core.training import seed_everything
seed_everything(seed)
layer = torch.nn.Linear(64, 64)
optimizer = torch.optim.SGD(layer.parameters(), lr=learning_rate)
for _ in range(20):
    loss = layer(torch.randn(256, 64)).square().mean()
    loss.backward()
    optimizer.step()
pathlib.Path(out, record.notebook + ".here").touch()
deadline = time.monotonic() + {DEADLINE}
while epochs == 2 and len(list(pathlib.Path(out).glob("*.here"))) < 2:
    assert time.monotonic() < deadline
    time.sleep(0.1)"""
    for name in ("01_first", "02_second"):
        write_notebook(course, name, START, train, 'record.save(measured={"loss": loss.item()})')
    losses = {}
    for jobs in (1, 2):
        out = run.run([], [("seed", "3"), ("epochs", str(jobs))], out=tmp_path / str(jobs), jobs=jobs)
        losses[jobs] = [record_of(out, name)["measured"]["loss"] for name in ("01_first", "02_second")]
        assert torch.cuda.is_available() or record_of(out, "01_first")["device"].endswith(", 1 threads")
    assert losses[1] == losses[2]


def test_a_failure_costs_only_what_reads_it(course, tmp_path, capsys):
    write_notebook(course, "01_first", START, "print('so far')", 'raise ValueError("first line\\nlast line")')
    write_notebook(course, "02_second", "print('so far')", "import os\nos._exit(9)", "print('never')")
    write_notebook(course, "03_third", START, SAVE, after=["01_first"])
    write_notebook(course, "04_fourth", START, SAVE)
    out = tmp_path / "out"
    for name in ("01_first", "03_third"):  # from an earlier run
        (out / name).mkdir(parents=True)
        (out / name / "results.json").write_text("{}")
    (out / "01_first" / "01_first.ipynb").write_text("old")
    assert main(["run", "--jobs", "1", "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(
        "error: 01_first stopped in cell In [5] with ValueError: last line; what ran of it is kept in "
        f"{out / '01_first' / '01_first.failed.ipynb'}; "
        "02_second lost its kernel in cell In [4], perhaps for lack of memory ("
    )
    assert error.endswith("; not run, as they read what failed: 03_third\n") and error.count("\n") == 1
    failed = nbformat.read(out / "01_first" / "01_first.failed.ipynb", as_version=4)
    assert any("so far" in str(cell.get("outputs")) for cell in failed.cells)
    assert files_in(out) == ["01_first.failed.ipynb", "04_fourth.ipynb", "results.json"]


@pytest.mark.parametrize("stop, jobs", [(signal.SIGINT, 1), (signal.SIGINT, 2), (signal.SIGKILL, 2)])
def test_a_stopped_run_leaves_what_is_finished_and_no_process(course, tmp_path, stop, jobs):
    write_notebook(course, "01_first", START, SAVE)
    names = ["02_second", "03_third"][:jobs]
    for name in names:
        write = f"pathlib.Path({str(tmp_path / name)!r}).write_text(str(os.getpid()))"
        write_notebook(course, name, START, f"import os, pathlib, time\n{write}\ntime.sleep(3600)", SAVE)
    out = tmp_path / "out"
    script = f"""
import signal, sys
from pathlib import Path
from course.notebooks import source as notebooks
from course.cli import main

notebooks.FOLDER = Path({str(course)!r})
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let background jobs ignore it
sys.exit(main(["run", "--out", {str(out)!r}, "--jobs", "{jobs}"]))
"""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, start_new_session=True, **pipes)
    begun = []
    try:
        deadline = time.monotonic() + DEADLINE
        while not all((tmp_path / name).exists() and (tmp_path / name).read_text() for name in names):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        begun = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, stop)  # as a terminal does
        _, error = process.communicate(timeout=DEADLINE)
        _, alive = psutil.wait_procs(begun, timeout=DEADLINE)
    finally:
        process.kill()
        for left in begun:
            if left.is_running():
                left.kill()
    assert {int((tmp_path / name).read_text()) for name in names} <= {each.pid for each in begun} and not alive
    if stop == signal.SIGINT:
        assert process.returncode == 130
        assert error == (
            f"error: Stopped in {' and '.join(names)}; what is finished is in {out}, and the same command with "
            "-p resume true goes on from the last full epoch.\n"
        )
    assert files_in(out) == ["01_first.ipynb", "results.json"]


def test_a_notebook_is_stored_with_its_outputs_and_nothing_of_this_machine(course):
    bar = "from tqdm.auto import tqdm\nfor _ in tqdm(range(2)): pass"
    path = write_notebook(course, "01_first", "print('stored')", bar)
    store(["01_first"])
    notebook = nbformat.read(path, as_version=4)
    assert notebook.cells[2].outputs[0].text == "stored\n" and not notebook.cells[3].outputs
    assert "version" not in notebook.metadata.language_info and not notebook.cells[2].metadata.get("tags")
    write_notebook(course, "01_first", "1 / 0")
    before = path.read_bytes()
    assert main(["store"]) == 1 and path.read_bytes() == before


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["03_third"], 'no notebook "03_third"'),
        (["-p", "epoch", "3"], 'There is no parameter of these notebooks "epoch"; did you mean "epochs"?'),
        (["-p", "epochs", "0"], "epochs is 0; give a number above 0"),
        (["-p", "seed", "-1"], "seed is -1; give a whole number from 0"),
        (["-p", "learning_rate", "nan"], 'learning_rate cannot be "nan"'),
        (["-p", "images", "[1]"], "images cannot be"),
        (["-p", "epochs", "ten"], 'epochs cannot be "ten"; give a whole number'),
        (["-p", "epochs", "3", "-p", "epochs", "4"], "given twice"),
        (["-p", "out", "x"], "--out DIR"),
        (["--data", "nowhere"], 'There is no data "nowhere"'),
        (["-p", "data", "./nowhere"], "There is no folder"),
        (["--data", "."], "holds no base/ and no extended/"),
        (["--jobs", "0"], "--jobs is 0; give how many run at a time"),
        (["--jobs", "-1"], "--jobs is -1; give how many run at a time"),
        (["--out", "/dev/null/x"], "Cannot write to /dev/null/x"),
    ],
)
def test_wrong_arguments_fail_before_anything_runs(course, dry, tmp_path, capsys, monkeypatch, arguments, message):
    write_notebook(course, "01_first", START, SAVE)
    monkeypatch.chdir(tmp_path)
    assert main(["run", *arguments]) == 2
    output = capsys.readouterr()
    assert output.err.startswith("error: ") and message in output.err and output.err.count("\n") == 1
    assert not dry and not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "words, out",
    [
        ("", "builtin"),
        ("-p resume true", "builtin"),
        ("-p epochs 20 -p seed 1", "builtin-epochs=20-seed=1"),
        ("-p learning_rate 1e-3 -p images []", "builtin-learning_rate=0.001-images=[]"),
        ("-p data ./houses/", "houses"),
        ("--data houses -p seed 1", "houses-seed=1"),
        ("--preset full", "full"),
        ("--preset full --data houses", "full-houses"),
    ],
)
def test_a_run_with_other_parameters_goes_elsewhere(course, dry, tmp_path, monkeypatch, words, out):
    for part in ("base", "extended"):
        (tmp_path / "houses" / part).mkdir(parents=True)
    write_notebook(course, "01_first", START, SAVE)
    monkeypatch.setattr(run.Preset, "files", lambda self: [])
    monkeypatch.setattr("course.cli._show_report", lambda folders: dry.update(folder=folders[0]))
    monkeypatch.chdir(tmp_path)
    assert main(["run", *words.split()]) == 0
    assert dry["folder"] == tmp_path / "runs" / out and dry["01_first"]["out"] == str(dry["folder"])
    assert dry["01_first"].get("data") == (str(tmp_path / "houses") if "houses" in words else None)


def test_each_notebook_gets_the_data_that_it_reads(course, dry, tmp_path, monkeypatch):
    write_notebook(course, "04_fcn8s")
    pictures = 'pictures = "builtin"  # or "cifar10", or a folder\nout = "../runs/lab"'
    write_notebook(course, "08_pictures", parameters=pictures)
    write_notebook(course, "11_fcn_skips")
    voc = tmp_path / "voc2007"
    (voc / "VOCdevkit").mkdir(parents=True)
    with pytest.raises(CourseError, match="04_fcn8s reads facades, not PASCAL VOC; name .* 11_fcn_skips"):
        run.run([], data=str(voc))
    monkeypatch.setattr(parameters, "ROOT", tmp_path)
    with pytest.raises(CourseError, match="course data voc"):
        run.run(["11_fcn_skips"], data="voc")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CourseError, match="no folder .*/missing; check what pictures names"):
        run.run(["08_pictures"], given=[("pictures", "./missing")])
    assert not dry
    run.run(["11_fcn_skips", "08_pictures"], [("pictures", "./voc2007")], data=str(voc))
    assert dry["11_fcn_skips"]["data"] == str(voc) and "data" not in dry["08_pictures"]
    assert dry["08_pictures"]["pictures"] == str(voc)


@pytest.mark.parametrize(
    "cores, memory, device, jobs", [(8, 64, "cpu", 8), (8, 7, "cpu", 2), (2, 1, "cpu", 1), (8, 64, "cuda", 1)]
)
def test_jobs_come_from_cores_memory_and_device(monkeypatch, cores, memory, device, jobs):
    monkeypatch.setattr(joblib, "cpu_count", lambda: cores)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=memory * 2**30))
    monkeypatch.setattr(devices, "best_device", lambda: torch.device(device))
    assert MEMORY == 3 * 2**30 and default_jobs() == jobs


@pytest.mark.parametrize("names, given, threads", [([], None, "2"), ([], "5", "5"), (["01_a"], None, "8")])
def test_each_notebook_gets_its_share_of_threads(course, dry, tmp_path, monkeypatch, names, given, threads):
    for number in range(1, 9):
        write_notebook(course, f"0{number}_a")
    monkeypatch.setattr(joblib, "cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert threads_of_each(16) == "1"
    if given:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    run.run(names, out=tmp_path / "out", jobs=4)
    assert dry["threads"] == threads and os.environ.get("OMP_NUM_THREADS") == given
