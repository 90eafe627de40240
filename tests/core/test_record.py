"""One form of record, and what is no record."""

import json
import time

import pytest

from core.errors import CourseError
from core.record import new_record, read_record, write_record

SCORES = {"pixel_accuracy": 0.5, "mean_iou": 0.25, "iou_per_class": [0.5, None]}


def whole() -> dict:
    return new_record(
        "python -m course run",
        {"epochs": 2},
        time.perf_counter(),
        notebook="01_first",
        seed=0,
        data={"name": "builtin", "sha256": "ab"},
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


MALFORMED = {
    "a list": lambda r: [r],
    "no command": lambda r: r.pop("command") and None,
    "parameters that are no table": lambda r: r.update(parameters=[1]),
    "a seed that is a text": lambda r: r.update(seed="0"),
    "a history that is a number": lambda r: r.update(history=3),
    "an epoch without its number": lambda r: r["history"][0].pop("epoch") and None,
    "a best epoch beyond the history": lambda r: r.update(best_epoch=2),
    "a mean IoU of 7": lambda r: r.update(test={"mean_iou": 7}),
    "a negative accuracy": lambda r: r.update(validation={"pixel_accuracy": -0.1}),
    "an accuracy that is a text": lambda r: r["history"][0].update(validation={"pixel_accuracy": "0.5"}),
    "scores of the classes that are no list": lambda r: r.update(test={"iou_per_class": 3}),
    "a figure without its file": lambda r: r["figures"][0].pop("file") and None,
    "a figure in another folder": lambda r: r["figures"][0].update(file="../../secret.png"),
    "a figure by its absolute path": lambda r: r["figures"][0].update(file="/etc/passwd"),
    "a class's IoU of 7": lambda r: r.update(test={"iou_per_class": [7.0]}),
    "an epoch that is true": lambda r: r["history"][0].update(epoch=True),
    "a training loss that is a text": lambda r: r["history"][0].update(train_loss="low"),
    "data without a name": lambda r: r["data"].pop("name") and None,
    "data whose name is a list": lambda r: r["data"].update(name=["builtin"]),
    "data whose hash is a number": lambda r: r["data"].update(sha256=3),
    "classes that are a number": lambda r: r["data"].update(classes=3),
    "classes whose names are lists": lambda r: r["data"].update(classes=[["facade"]]),
    "weights that are a list": lambda r: r.update(measured={"weights": ["course"]}),
    "a time below zero": lambda r: r.update(wall_time=-5),
    "a time that is no number": lambda r: r.update(wall_time=float("nan")),
    "measured that is no table": lambda r: r.update(measured=None),
}


@pytest.mark.parametrize("spoil", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_record_is_told_in_one_sentence(tmp_path, spoil):
    record = whole()
    record = spoil(record) or record
    (tmp_path / "results.json").write_text(json.dumps(record))
    with pytest.raises(
        CourseError, match="results.json is not a readable record .*; remove it and make it again"
    ) as told:
        read_record(tmp_path / "results.json")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\udcff"])
def test_what_is_no_json(tmp_path, text):
    (tmp_path / "results.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CourseError, match="not a readable record"):
        read_record(tmp_path / "results.json")
    with pytest.raises(CourseError, match="not a readable record"):
        read_record(tmp_path)
