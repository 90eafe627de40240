"""course.records.record: what a notebook's record holds, and what it must not hold."""

import json

import numpy as np
import pytest
import torch
from course_samples import write_notebook
from matplotlib.figure import Figure

from core.errors import CourseError
from core.files import ROOT
from course.records.record import Record, load_results, project_path

VALUES = {
    "data": "builtin",
    "epochs": 5,
    "learning_rate": 0.01,
    "seed": 3,
    "resume": True,
    "images": [],
    "checkpoint": None,
    "other": "not a parameter",
}


@pytest.fixture
def start(tmp_path, monkeypatch):
    write_notebook(tmp_path / "notebooks", "01_first")
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.delenv("COURSE_COMMAND", raising=False)

    def start_with(**values):
        return Record.start("01_first", "../run", VALUES | {"out": "../run"} | values)

    return start_with


def saved(record):
    return json.loads((record.folder / "results.json").read_text())


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in ("seconds", "wall_time")}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def test_the_record_holds_the_resolved_parameters_and_what_is_missing_is_null(start, tmp_path):
    record = start()
    record.save()
    assert record.folder == tmp_path / "run" / "01_first"
    written = saved(record)
    assert written["parameters"] == {
        "data": "builtin",
        "epochs": 5,
        "learning_rate": 0.01,
        "seed": 3,
        "images": [],
        "checkpoint": None,
    }
    assert (written["seed"], written["command"]) == (3, "interactive")
    assert [written[part] for part in ("data", "history", "best_epoch", "validation", "test")] == [None] * 5
    assert written["packages"]["torch"] == torch.__version__.split("+")[0]
    assert f"{torch.get_num_threads()} threads" in written["device"] or torch.cuda.is_available()


def test_numbers_of_numpy_and_torch_become_plain_and_nan_becomes_null(start):
    record = start()
    record.save(
        measured={"a": np.float32(0.5), "b": torch.tensor([1, 2]), "c": float("nan"), "d": np.array([np.inf, 1])},
        test={"iou_per_class": [0.25, float("nan")]},
    )
    written = saved(record)
    assert written["measured"] == {"a": 0.5, "b": [1, 2], "c": None, "d": [None, 1.0]}
    assert written["test"] == {"iou_per_class": [0.25, None]}


def test_two_runs_differ_in_times_only(start):
    texts = []
    for seconds in (1.0, 2.0):
        record = start()
        record.started -= seconds
        record.save(history=[{"epoch": 1, "seconds": seconds}])
        texts.append(saved(record))
    assert texts[0] != texts[1]
    assert without_times(texts[0]) == without_times(texts[1])


def test_no_path_outside_the_project_is_recorded(start, tmp_path):
    record = start(data=str(tmp_path / "photographs"), images=[str(ROOT / "files" / "cat.png")])
    record.save()
    assert saved(record)["parameters"]["data"] == ".../photographs"
    assert saved(record)["parameters"]["images"] == ["files/cat.png"]
    assert str(tmp_path) not in (record.folder / "results.json").read_text()
    assert project_path(ROOT / "runs" / "a") == "runs/a"


def test_the_command_comes_from_the_runner(start, monkeypatch):
    monkeypatch.setenv("COURSE_COMMAND", "python -m course run")
    record = start()
    record.save()
    assert saved(record)["command"] == "python -m course run"


def test_a_figure_is_shown_written_and_listed_once(start, monkeypatch):
    shown = []
    monkeypatch.setattr("core.plotting.show", lambda figure, alt: shown.append(alt))
    record = start()
    figure = Figure(figsize=(1, 1))
    for alt in ("first", "second"):
        record.figure(figure, "sheet", alt=alt)
    record.save()
    assert saved(record)["figures"] == [{"name": "sheet", "file": "sheet.png", "alt": "second"}]
    assert (record.folder / "sheet.png").read_bytes().startswith(b"\x89PNG")
    assert shown == ["first", "second"]


def test_results_are_loaded_in_order(start, tmp_path):
    assert load_results(tmp_path / "run") == {}
    start().save()
    assert list(load_results(tmp_path / "run")) == ["01_first"]


@pytest.mark.parametrize("content", [b'{"notebook": "01', b"[]", b"{}", b"\xff\xfe"])
def test_a_corrupt_record_is_named(tmp_path, content):
    path = tmp_path / "01_first" / "results.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(CourseError, match="01_first/results.json is not a readable record"):
        load_results(tmp_path)


def test_an_interrupted_save_leaves_the_old_record(start, monkeypatch):
    record = start()
    record.save(best_epoch=1)
    before = (record.folder / "results.json").read_bytes()
    with pytest.raises(TypeError):
        record.save(measured={"a": object()})
    assert (record.folder / "results.json").read_bytes() == before
    assert [path.name for path in record.folder.iterdir()] == ["results.json"]
