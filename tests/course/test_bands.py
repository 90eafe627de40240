"""The bands: what a run may score, and what is caught."""

import json
import os
from pathlib import Path

import pytest
import torch
from course_samples import START, record, write_notebook, write_records

from core.command import Failed
from core.errors import CourseError
from core.record import read_record
from core.training import seed_everything
from course import bands
from course.__main__ import main
from course.bands import check, scores_of, write_bands
from course.notebooks import source as notebooks
from fcn.dataset import CMPFacade
from fcn.metrics import ConfusionMatrix
from fcn.models import FCN8s
from fcn.trainer import Training, evaluate, fit

NAME = "02_first"


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path / "notebooks")
    monkeypatch.setattr(bands, "BANDS", tmp_path / "bands.json")
    write_notebook(tmp_path / "notebooks", NAME, START, parameters='epochs = 3\nseed = 0\nout = "../runs/lab"')
    for seed, score in enumerate((0.40, 0.42, 0.41)):
        write_records(tmp_path / f"run{seed}", of(score, seed))
    write_bands([tmp_path / f"run{seed}" for seed in range(3)])
    return tmp_path


def of(score: float, seed: int = 0, **parameters) -> dict:
    made = record(NAME, seed, [0.3, 0.35, score], score, measured={"constant_mean_iou": 0.03, "step_seconds": 9.0})
    made["parameters"] = {"epochs": 3, "seed": seed} | parameters
    return made


def test_a_band_is_the_range_widened_by_half_of_it(course):
    band = json.loads((course / "bands.json").read_text())[NAME]["scores"]
    assert band["test.mean_iou"] == {"low": 0.39, "median": 0.41, "high": 0.43}
    assert band["measured.constant_mean_iou"] == {"low": 0.02, "median": 0.03, "high": 0.04}
    assert "measured.step_seconds" not in band and band["train_loss"]["median"] == pytest.approx(1 / 3, abs=1e-4)


def test_bands_of_other_notebooks_stay(course):
    before = json.loads((course / "bands.json").read_text())
    write_notebook(course / "notebooks", "01_zeroth", START, parameters='epochs = 3\nseed = 0\nout = "../runs/lab"')
    write_records(course / "added", of(0.5) | {"notebook": "01_zeroth"})
    write_bands([course / "added"])
    after = json.loads((course / "bands.json").read_text())
    assert list(after) == ["01_zeroth", NAME] and after[NAME] == before[NAME]


@pytest.mark.parametrize("score, passes", [(0.395, True), (0.43, True), (0.38, False), (0.6, False)])
def test_a_run_is_held_against_them(course, score, passes, capsys):
    write_records(course / "new", of(score, 5))
    assert main(["check", str(course / "new")]) == (0 if passes else 1)
    said = capsys.readouterr()
    assert ("scores held against their bands" in said.out) == passes
    assert (f"test.mean_iou is {score:.4f}, outside 0.39 to 0.43" in said.err) == (not passes)


def test_a_record_that_is_missing_old_or_lacks_a_score(course):
    with pytest.raises(Failed, match="left no results.json"):
        check(course / "nothing")
    mark = course / "mark"
    mark.touch()
    os.utime(course / "run0" / NAME / "results.json", (0, 0))
    with pytest.raises(Failed, match="is of an earlier run"):
        check(course / "run0", since=mark)
    cut = of(0.41)
    cut["test"] = None
    write_records(course / "cut", cut)
    with pytest.raises(Failed, match="test.mean_iou is missing"):
        check(course / "cut")


def test_other_parameters_are_not_compared(course):
    write_records(course / "longer", of(0.9, epochs=30))
    assert check(course / "longer") == [
        f"{NAME}: other parameters than the quick configuration's; not held against the bands"
    ]
    with pytest.raises(CourseError, match="no record of the quick configuration"):
        write_bands([course / "longer"])


def test_the_committed_records_lie_in_the_committed_bands():
    """And the bands know every notebook that trains or measures."""
    known = json.loads((bands.ROOT / "files" / "bands.json").read_text())
    assert set(known) >= {path.stem for path in notebooks.choose([])} - {"00_start", "06_cam"}
    for name, band in known.items():
        assert len(band["runs"]) >= 3 and band["scores"], name
    for path in sorted((bands.ROOT / "files" / "results").glob("builtin_seed?/*.json")):
        scores = scores_of(read_record(path))
        for name, limits in known.get(path.stem, {"scores": {}})["scores"].items():
            assert limits["low"] <= scores[name] <= limits["high"], f"{path}: {name}"


def test_times_are_no_scores():
    assert scores_of(of(0.4)).keys() == {
        "train_loss",
        "validation.pixel_accuracy",
        "validation.mean_iou",
        "test.pixel_accuracy",
        "test.mean_iou",
        "measured.constant_mean_iou",
    }


class ShiftedCrop(FCN8s):
    """What a crop that begins 24 pixels too early gives."""

    def forward(self, image):
        return super().forward(image).roll((24, 24), (2, 3))


def train(facades: Path, folder: Path, seed: int, network: type[FCN8s] = FCN8s, learning_rate: float = 5e-4) -> dict:
    """A notebook's training in small; its record, also written to `folder`."""
    train_set, validation_set, test_set = (CMPFacade(facades, split, 1.0) for split in ("train", "val", "test"))
    seed_everything(seed)
    model = network(width=0.125, padding="aligned")
    training = Training(epochs=10, batch_size=2, learning_rate=learning_rate, precision="float32", seed=seed)
    history = fit(model, train_set, validation_set, training, folder / "weights")
    constant = ConfusionMatrix(12)
    for _, label in test_set:
        constant.update(torch.ones_like(label), label)
    made = of(0.0, seed) | {"history": history, "best_epoch": None, "validation": None}
    made |= {"test": evaluate(model, test_set).figures(), "measured": {"constant_accuracy": constant.pixel_accuracy()}}
    write_records(folder, made)
    return made


def test_a_broken_trainer_is_caught(course, small_facades, monkeypatch):
    """The bands are made by whole trainings; then it is broken in three ways, none of which is an error anywhere."""
    for seed in range(3):
        train(small_facades, course / f"whole{seed}", seed)
    write_bands([course / f"whole{seed}" for seed in range(3)])
    assert check(course / "whole0")
    train(small_facades, course / "slow", 3, learning_rate=5e-5)
    with pytest.raises(Failed, match="test.mean_iou is .*, outside"):
        check(course / "slow")
    train(small_facades, course / "shifted", 3, ShiftedCrop)
    with pytest.raises(Failed, match="test.mean_iou is .*, outside"):
        check(course / "shifted")
    right = CMPFacade.read_label
    monkeypatch.setattr(CMPFacade, "read_label", lambda self, path: (right(self, path) + 1) % 12)
    train(small_facades, course / "off_by_one", 3)
    with pytest.raises(Failed, match="constant_accuracy is .*, outside"):
        check(course / "off_by_one")
