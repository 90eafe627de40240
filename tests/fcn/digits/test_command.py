"""The command, at a few steps, and what they say when something is wrong."""

import json

import pytest
from PIL import Image

from core import command
from core.errors import CourseError
from fcn.digits import __main__ as digits
from fcn.digits import experiment as digit_experiment
from fcn.digits.data import DigitSplits, load_digits
from fcn.digits.experiment import Steps
from fcn.digits.networks import load_network, weights_file


def main(arguments: list[str]) -> int:
    return command.main(digits, "python -m fcn.digits", arguments)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    splits = load_digits("builtin")
    few = DigitSplits("builtin", splits.train.first(64), splits.validation.first(30), splits.test.first(30))
    monkeypatch.setattr(digits, "load_digits", lambda source: few if source == "builtin" else load_digits(source))
    monkeypatch.setitem(digit_experiment.STEPS, "builtin", Steps(classifier=3, single=3, scenes=2, grids=2))
    monkeypatch.setattr(digits, "SCENES", 8)


def test_train_and_then_test(tmp_path, capsys):
    assert main(["--model", "standardFCN", "--mode", "train", "--seed", "3", "--out", str(tmp_path)]) == 0
    model, classifier, origin = load_network(tmp_path, "standardFCN")
    assert not model.training and not classifier.training
    assert origin == {"network": "standardFCN", "digits": "builtin", "seed": 3}
    report = json.loads((tmp_path / "standardFCN_train.json").read_text())
    steps = {"classifier": 3, "single": 3, "scenes": 2, "grids": 2}
    assert report["parameters"]["steps"] == steps and report["seed"] == 3
    assert set(report["measured"]["validation"]) == {"baseline", "standardFCN"}
    for test_type in digits.TEST_TYPES:
        capsys.readouterr()
        arguments = ["--model", "standardFCN", "--mode", "test", "--test-type", test_type, "--out", str(tmp_path)]
        assert main(arguments) == 0
        said = capsys.readouterr().out
        assert f"weights from {tmp_path}, trained on builtin digits (seed 3)" in said
        figures = json.loads((tmp_path / f"standardFCN_test_{test_type}.json").read_text())["measured"]["test"]
        assert f"mean IoU {figures['standardFCN']['mean_iou']:.4f}" in said
        with Image.open(tmp_path / f"standardFCN_test_{test_type}.png") as picture:
            assert picture.width > 300
    assert not list(tmp_path.glob(".*"))


def test_without_a_training_the_shipped_weights_are_tested(tmp_path, capsys):
    assert main(["--model", "fcn8", "--mode", "test", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "weights that come with the course, trained on mnist digits" in said and "tested on builtin" in said


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--model", "fcn-8", "--mode", "test"], 'did you mean "fcn8"'),
        (["--model", "fcn8", "--mode", "train", "--data", "nowhere"], "There is no folder nowhere/MNIST/raw"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(capsys, arguments, words):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and words in captured.err and captured.err.count("\n") == 1


def test_weights_that_are_missing_damaged_or_of_the_other_network_are_named(tmp_path):
    with pytest.raises(CourseError, match="There are no weights at .*digits_fcn8.safetensors"):
        load_network(tmp_path, "fcn8")
    assert main(["--model", "fcn8", "--mode", "train", "--out", str(tmp_path)]) == 0
    fcn8 = weights_file(tmp_path, "fcn8")
    weights_file(tmp_path, "standardFCN").write_bytes(fcn8.read_bytes())
    with pytest.raises(CourseError, match="digits_standardFCN.safetensors belong to another network"):
        load_network(tmp_path, "standardFCN")
    fcn8.write_bytes(fcn8.read_bytes()[:1000])
    with pytest.raises(CourseError, match="digits_fcn8.safetensors is not a whole file of weights"):
        load_network(tmp_path, "fcn8")
