"""One form of record, and what is no record."""

import json
import time

import pytest

from core.errors import CourseError
from core.files import ROOT
from core.record import new_record, read_record, write_record

SCORES = {"pixel_accuracy": 0.5, "mean_iou": 0.25, "iou_per_class": [0.5, None]}


def whole() -> dict:
    return new_record(
        "python -m course run",
        {"epochs": 2},
        time.perf_counter(),
        notebook="01_first",
        seed=0,
        data={"name": "builtin", "sha256": "ab", "classes": ["wall", "roof"]},
        history=[{"epoch": 1, "train_loss": 1.0, "validation": SCORES}],
        best_epoch=1,
        validation=SCORES,
        test=SCORES,
        measured={"nothing": float("nan")},
        figures=[{"name": "curves", "file": "curves.png", "alt": "Curves."}],
    )


def test_what_is_written_is_what_is_read(tmp_path):
    record = whole()
    write_record(record, tmp_path / "results.json")
    assert read_record(tmp_path / "results.json") == record
    assert record["measured"] == {"nothing": None}  # JSON has no NaN
    assert record["packages"]["torch"] and record["device"] and record["wall_time"] < 60


def change(**parts):
    return lambda record: record | parts


MALFORMED = {
    "record must be object": lambda record: [record],
    "record must contain .*'command'": lambda record: {name: record[name] for name in record if name != "command"},
    "record.parameters must be object": change(parameters=[1]),
    "record.parameters.scale must be number": change(parameters={"scale": "half"}),
    "record.parameters.epochs must be integer": change(parameters={"epochs": [1, 2]}),
    "record.seed must be integer": change(seed="0"),
    "record.history must be array": change(history=3),
    r"record.history\[0\] must contain \['epoch'\]": change(history=[{"train_loss": 1.0}]),
    r"record.history\[0\].epoch must be integer": change(history=[{"epoch": True}]),
    r"record.history\[0\].train_loss must be number": change(history=[{"epoch": 1, "train_loss": "low"}]),
    r"record.history\[0\].validation.mean_iou must be number": change(
        history=[{"epoch": 1, "validation": {"mean_iou": "0.5"}}]
    ),
    "record.best_epoch is 2 of 1 epochs": change(best_epoch=2),
    "record.test.mean_iou must be smaller": change(test={"mean_iou": 7}),
    "record.validation.pixel_accuracy must be bigger": change(validation={"pixel_accuracy": -0.1}),
    "record.test.iou_per_class must be array": change(test={"iou_per_class": 3}),
    "record.test.iou_per_class has 1 scores for 2 classes": change(test={"iou_per_class": [0.5]}),
    r"record.test.iou_per_class\[0\] must be smaller": change(test={"iou_per_class": [7.0, 0.5]}),
    r"record.figures\[0\] must contain .*'file'": change(figures=[{"name": "x", "alt": "x"}]),
    "record.data must contain .*'name'": change(data={"sha256": "ab"}),
    "record.data.sha256 must be string": change(data={"name": "builtin", "sha256": 3}),
    r"record.data.classes\[0\] must be string": change(data={"name": "builtin", "classes": [["facade"]]}),
    "record.measured.weights must be string": change(measured={"weights": ["course"]}),
    "record.measured must be object": change(measured=None),
    "record.wall_time must be bigger": change(wall_time=-5),
    "NaN is no number": change(wall_time=float("nan")),
}


@pytest.mark.parametrize("message, spoil", MALFORMED.items(), ids=MALFORMED)
def test_what_is_no_record_is_told_in_one_sentence_with_file_and_field(tmp_path, message, spoil):
    (tmp_path / "results.json").write_text(json.dumps(spoil(whole())))
    with pytest.raises(CourseError, match=f"results.json is not a readable record .*{message}") as told:
        read_record(tmp_path / "results.json")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("file", ["", ".", "..", "../secret.png", "/etc/passwd", "a\\b.png", "a\0.png", "a\n.png"])
def test_a_figure_is_a_file_beside_its_record(tmp_path, file):
    record = whole() | {"figures": [{"name": "x", "file": file, "alt": "x"}]}
    (tmp_path / "results.json").write_text(json.dumps(record))
    with pytest.raises(CourseError, match=r"record.figures\[0\].file must"):
        read_record(tmp_path / "results.json")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\udcff"])
def test_what_is_no_json(tmp_path, text):
    (tmp_path / "results.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CourseError, match="not a readable record"):
        read_record(tmp_path / "results.json")
    with pytest.raises(CourseError, match="not a readable record"):
        read_record(tmp_path)


def test_all_committed_records_are_readable():
    paths = [*(ROOT / "files").glob("results/*/*.json"), *(ROOT / "files").glob("benchmarks/*.json")]
    assert len(paths) > 90
    for path in paths:
        assert read_record(path)["command"].startswith("python -m ")
