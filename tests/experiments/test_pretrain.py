"""The small weights: each kind of training once, shortened."""

import pytest
import torch
from tiny_imagenet_samples import write_tiny_imagenet

from core import command
from core.checkpoint import read_configuration, read_state
from core.record import read_record
from experiments import pretrain, small_pair, small_resnet
from experiments.small_pair import train
from fcn.backbones import Trunk


def main(words: list[str]) -> int:
    return command.main(pretrain, "python -m experiments.pretrain", words)


def test_pretrain_leaves_small_weights_and_a_record(tmp_path, monkeypatch, capsys):
    folder = write_tiny_imagenet(tmp_path / "tiny-imagenet-200", monkeypatch)
    out, path = tmp_path / "a.safetensors", tmp_path / "a.json"
    words = ["--data", str(folder), "--epochs", "2", "--out", str(out), "--record", str(path)]
    assert main(["alexnet", *words]) == 0
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
    assert main([*words, *out]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not list(tmp_path.iterdir())


def test_the_same_seed_gives_the_same_network():
    short = {"count": 100, "epochs": 2, "batch_size": 25}
    first, second = (train("residual14", 1, **short).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(
        not torch.equal(first[name], value) for name, value in train("residual14", 2, **short).state_dict().items()
    )


def test_networks_of_built_in_data_are_written(tmp_path, monkeypatch):
    out = tmp_path / "a.safetensors"
    shortened = small_resnet.train
    monkeypatch.setattr(small_resnet, "train", lambda seed: shortened(seed, pictures=16, epochs=1, batch_size=8))
    assert main(["resnet18", "--out", str(out)]) == 0 and read_state(out)["fc.weight"].shape[0] == 6
    shortened_pair = small_pair.train
    monkeypatch.setattr(small_pair, "train", lambda name, seed: shortened_pair(name, seed, count=50, epochs=1))
    assert main(["plain14", "--out", str(out)]) == 0 and read_configuration(out)["shortcut"] == "none"
