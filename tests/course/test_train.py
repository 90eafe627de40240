"""Training without a notebook, and the small weights."""

import pytest

from core.checkpoint import read_state
from core.record import read_record
from course.__main__ import main
from fcn.backbones import Trunk
from fcn.facades import pretext


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


def test_pretrain_writes_half_precision(tmp_path, monkeypatch, capsys):
    untrained = pretext.Classifier(Trunk("alexnet", 0.125, padding="aligned"))
    monkeypatch.setattr(pretext, "train", lambda network, seed: (untrained, 0.5))
    assert main(["pretrain", "alexnet", "--out", str(tmp_path / "a.safetensors")]) == 0
    assert str(read_state(tmp_path / "a.safetensors")["features.0.weight"].dtype) == "torch.float16"
    assert main(["pretrain", "vgg61"]) == 2 and 'did you mean "vgg16"' in capsys.readouterr().err


def test_the_pretext_task_is_trained_from_few_drawings(monkeypatch):
    """As it stands, but for fewer facades and steps; every class has to occur among the parts."""
    cut = pretext.cut_parts
    monkeypatch.setattr(pretext, "cut_parts", lambda facades, first: cut(40, first))
    model, accuracy = pretext.train("alexnet", 0, facades=40, steps=2, batch_size=4)
    assert 0 <= accuracy <= 1 and model.last.out_features == 12
