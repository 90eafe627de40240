"""Training without a notebook."""

import pytest

from core.checkpoint import read_state
from core.record import read_record
from course.cli import main
from course.train import RADIUS
from fcn.data_sets import load_splits
from fcn.evaluation import evaluate
from fcn.metrics import boundary_band
from fcn.models import from_weights


def test_train_leaves_a_record_and_its_weights_and_goes_on(small_facades, tmp_path, capsys):
    words = ["train", "FCN8s", "--data", str(small_facades), "--out", str(tmp_path / "out"), "--precision", "float32"]
    assert main([*words, "--epochs", "1"]) == 0
    assert main([*words, "--epochs", "2", "--resume"]) == 0
    record = read_record(tmp_path / "out" / "results.json")
    assert len(record["history"]) == 2 and record["parameters"]["network"] == "FCN8s"
    assert record["command"].startswith("python -m course train FCN8s --data .../facades") and str(tmp_path) not in str(
        record
    )
    assert "test mean IoU" in capsys.readouterr().out and read_state(tmp_path / "out" / "best.safetensors")
    model, test = from_weights(tmp_path / "out" / "best.safetensors"), load_splits(small_facades, 0.5)[2]
    for part, count in {
        "band": lambda label: boundary_band(label, RADIUS),
        "interior": lambda label: ~boundary_band(label, RADIUS),
    }.items():
        alone = evaluate(model, test, count=count).mean_iou()
        assert record["measured"][f"{part} mean IoU"] == pytest.approx(alone)


@pytest.mark.parametrize(
    "words, message",
    [
        (["FCN4s"], 'There is no network "FCN4s"; did you mean'),
        (["FCN8s", "--weights", "imagnet"], 'did you mean "imagenet"'),
        (["FCN8s", "--epochs", "0"], "epochs is 0"),
        (["FCN8s", "--scale", "50"], "--scale is 50.0; give a factor above 0, at most 1"),
        (["FCN8s", "--scale", "nan"], "--scale is nan"),
        (["FCN8s", "--width", "0"], "--width is 0.0; give a factor above 0, at most 1"),
        (["FCN8s", "--width", "inf"], "--width is inf"),
        (["FCN8s", "--data", "nowhere"], 'There is no data "nowhere"'),
        (["FCN8s", "--out", "/dev/null/x"], "Cannot write to"),
        (["FCN8s", "--seed", "-1"], "seed is -1"),
    ],
)
def test_mistakes_are_found_before_the_training(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("course.train.fit", lambda *_: pytest.fail("trained"))
    assert main(["train", "--out", str(tmp_path / "out"), *words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
