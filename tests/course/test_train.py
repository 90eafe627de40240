"""Training without a notebook, and the small weights."""

import pytest
import torch
from tiny_imagenet_samples import write_tiny_imagenet

from core.checkpoint import read_configuration, read_state
from core.record import read_record
from course.cli import main
from course.train import RADIUS
from fcn.backbones import Trunk
from fcn.data_sets import load_splits
from fcn.metrics import boundary_band
from fcn.models import from_weights
from fcn.trainer import evaluate


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


def test_pretrain_leaves_small_weights_and_a_record(tmp_path, monkeypatch, capsys):
    folder = write_tiny_imagenet(tmp_path / "tiny-imagenet-200", monkeypatch)
    out, path = tmp_path / "a.safetensors", tmp_path / "a.json"
    words = ["--data", str(folder), "--epochs", "2", "--out", str(out), "--record", str(path)]
    assert main(["pretrain", "alexnet", *words]) == 0
    assert "6 photographs held out" in capsys.readouterr().out
    state, record = read_state(out), read_record(path)
    assert {value.dtype for value in state.values()} == {torch.float16}
    assert read_configuration(out)["trained_on"] == "Tiny ImageNet"
    Trunk("alexnet", 0.125, padding="aligned").load_classifier(state)  # strictly
    assert state["classifier.6.weight"].shape == (6, 512) and state["classifier.1.weight"].ndim == 2
    assert len(record["history"]) == 2 and record["validation"] == record["history"][-1]["validation"]
    assert 0 <= record["validation"]["accuracy"] <= record["validation"]["top5_accuracy"] <= 1
    assert record["data"]["classes"] == ["Egyptian cat", "reel", "lemon", "plunger", "cliff", "espresso"]
    assert record["command"].endswith("--data .../tiny-imagenet-200") and str(tmp_path) not in str(record)


@pytest.mark.parametrize(
    "words, message",
    [
        (["vgg61"], 'did you mean "vgg16"'),
        (["efficientnet_lite0"], 'There is no network "efficientnet_lite0"'),
        (["vgg16", "--epochs", "0"], "--epochs is 0"),
        (["vgg16", "--data", "nowhere"], "There is no Tiny ImageNet in nowhere; fetch it with `course data"),
    ],
)
def test_mistakes_are_found_before_the_pretraining(words, message, tmp_path, capsys):
    out = ["--out", str(tmp_path / "a.safetensors"), "--record", str(tmp_path / "a.json")]
    assert main(["pretrain", *words, *out]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not list(tmp_path.iterdir())
