"""course.running.run and the command line: small notebooks, really executed."""

import json
import os
import sys
from pathlib import Path

import nbformat
import pytest
from course_samples import START, write_notebook

from core.errors import CourseError
from course.__main__ import main
from course.notebooks import parameters
from course.notebooks import source as notebooks
from course.running import run

SAVE = "record.save()"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of notebooks in a folder whose name papermill would take for a template."""
    folder = tmp_path / "note{b}ooks"
    monkeypatch.setattr(notebooks, "FOLDER", folder)
    monkeypatch.setattr(run, "RUNS", tmp_path / "runs")
    return folder


def record_of(out: Path, name: str) -> dict:
    return json.loads((out / name / "results.json").read_text())


def test_notebooks_run_in_order_with_their_parameters(course, tmp_path, capsys, monkeypatch):
    write_notebook(course, "01_first", START, "import sys\nprint(sys.executable)", SAVE)
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
    assert main(["run", "-p", "seed", "7", "-p", "learning_rate", "1", "--out", str(out)]) == 0
    assert record_of(out, "01_first")["parameters"]["learning_rate"] == 1.0
    assert record_of(out, "02_second")["parameters"] == {"seed": 7, "width": 0.5}
    command = "python -m course run -p seed 7 -p learning_rate 1 --out .../out"
    assert record_of(out, "01_first")["command"] == command
    executed = nbformat.read(out / "01_first" / "01_first.ipynb", as_version=4)
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert code[3].outputs[0].text.strip() == sys.executable
    assert "papermill" not in executed.metadata
    assert not any("papermill" in cell.metadata for cell in executed.cells)
    printed = capsys.readouterr().out
    assert printed.index("[2/2] 02_second") < printed.index("Report: ") < printed.index("Table: ")
    assert printed.index("Table: ") < printed.index("Claims that rest on other notebooks")
    assert (out / "report.html").exists()
    assert "COURSE_COMMAND" not in os.environ


def test_a_failing_notebook_stops_the_run_and_is_kept(course, tmp_path, capsys):
    write_notebook(course, "01_first", START, "print('so far')", 'raise ValueError("first line\\nlast line")')
    write_notebook(course, "02_second", START, SAVE)
    out = tmp_path / "out"
    for name in ("01_first", "02_second"):  # from an earlier run
        (out / name).mkdir(parents=True)
        (out / name / "results.json").write_text("{}")
    (out / "01_first" / "01_first.ipynb").write_text("old")
    assert main(["run", "--jobs", "1", "--out", str(out)]) == 1
    error = capsys.readouterr().err
    assert "01_first stopped in cell In [5] with ValueError: last line; what ran of it is kept in" in error
    assert len(error.strip().splitlines()) == 1
    failed = nbformat.read(out / "01_first" / "01_first.failed.ipynb", as_version=4)
    assert any("so far" in str(cell.get("outputs")) for cell in failed.cells)
    assert sorted(path.name for path in out.rglob("*") if path.is_file()) == ["01_first.failed.ipynb"]


def test_a_lost_kernel_is_reported(course, tmp_path, capsys):
    write_notebook(course, "01_first", "print('so far')", "import os\nos._exit(9)", "print('never')")
    assert main(["run", "--out", str(tmp_path / "out")]) == 1
    assert "01_first lost its kernel, perhaps for lack of memory" in capsys.readouterr().err
    failed = nbformat.read(tmp_path / "out" / "01_first" / "01_first.failed.ipynb", as_version=4)
    assert failed.cells[-1].source == "import os\nos._exit(9)" and "so far" in str(failed.cells[-2].outputs)


def test_a_lost_worker_is_reported(course, tmp_path, capsys):
    write_notebook(course, "01_first", "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)")
    assert main(["run", "--out", str(tmp_path / "out")]) == 1
    assert "01_first lost the process that executed it" in capsys.readouterr().err


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
        (["--jobs", "0"], "--jobs is 0; give how many notebooks"),
        (["--out", "/dev/null/x"], "Cannot write to /dev/null/x"),
    ],
)
def test_wrong_arguments_fail_before_anything_runs(course, tmp_path, capsys, monkeypatch, arguments, message):
    write_notebook(course, "01_first", START, SAVE)
    monkeypatch.setattr(run, "execute_side_by_side", lambda *_: pytest.fail("something ran"))
    monkeypatch.chdir(tmp_path)
    assert main(["run", *arguments]) == 2
    output = capsys.readouterr()
    assert output.err.startswith("error: ") and message in output.err
    assert len(output.err.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "arguments, given, out",
    [
        ([], None, "builtin"),
        (["-p", "data", "houses"], "{}/houses", "houses"),
        (["--data", "houses"], "{}/houses", "houses"),
        (["-p", "data", "./houses/"], "{}/houses", "houses"),
    ],
)
def test_the_run_is_named_after_its_data_and_gets_its_absolute_path(
    course, tmp_path, monkeypatch, arguments, given, out
):
    for name in ("base", "extended"):
        (tmp_path / "houses" / name).mkdir(parents=True)
    write_notebook(course, "01_first", START, SAVE)
    write_notebook(course, "02_second", START, SAVE, parameters='seed = 0\nout = "x"')
    calls = []
    monkeypatch.setattr(
        run, "execute_side_by_side", lambda tasks, *_: calls.extend((task.name, task.parameters) for task in tasks)
    )
    monkeypatch.chdir(tmp_path)
    parsed = [arguments[1:]] if arguments[:1] == ["-p"] else []
    folder = run.run([], parsed, data="houses" if "--data" in arguments else None)
    assert folder == tmp_path / "runs" / out
    expected = {"out": str(folder)} | ({"data": given.format(tmp_path)} if given else {})
    assert calls == [("01_first", expected), ("02_second", {"out": str(folder)})]


@pytest.fixture
def dry(course, monkeypatch):
    """What the notebooks of a course would be given, one facade notebook and one that reads VOC; none is executed."""
    write_notebook(course, "04_fcn8s")
    write_notebook(
        course, "08_pictures", parameters='pictures = "builtin"  # or "cifar10", or a folder\nout = "../runs/lab"'
    )
    write_notebook(course, "11_fcn_skips")
    calls = {}
    monkeypatch.setattr(
        run, "execute_side_by_side", lambda tasks, *_: calls.update({task.name: task.parameters for task in tasks})
    )
    return calls


def test_voc_goes_to_the_notebooks_that_read_it(dry, tmp_path):
    (tmp_path / "voc2007" / "VOCdevkit").mkdir(parents=True)
    run.run(["11_fcn_skips", "08_pictures"], data=str(tmp_path / "voc2007"))
    assert dry["11_fcn_skips"]["data"] == str(tmp_path / "voc2007") and "data" not in dry["08_pictures"]


def test_voc_is_refused_for_facade_notebooks_before_anything_runs(dry, tmp_path):
    (tmp_path / "voc2007" / "VOCdevkit").mkdir(parents=True)
    for arguments in ({"data": str(tmp_path / "voc2007")}, {"given": [("data", str(tmp_path / "voc2007"))]}):
        with pytest.raises(CourseError, match="04_fcn8s reads facades, not PASCAL VOC; name .* 11_fcn_skips"):
            run.run([], **arguments)
    assert not dry


def test_voc_that_was_not_fetched_is_found_before_anything_runs(dry, tmp_path, monkeypatch):
    monkeypatch.setattr(parameters, "ROOT", tmp_path)
    with pytest.raises(CourseError, match="course data voc"):
        run.run(["11_fcn_skips"], data="voc")
    assert not dry


def test_other_folders_are_meant_as_seen_from_here(dry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cifar").mkdir()
    run.run(["08_pictures"], given=[("pictures", "./cifar")])
    assert dry["08_pictures"]["pictures"] == str(tmp_path / "cifar")
    with pytest.raises(CourseError, match="no folder .*/missing; check what pictures names"):
        run.run(["08_pictures"], given=[("pictures", "./missing")])
