"""One short training of a residual network's experiment, and what is said to mistakes."""

import json

import pytest

from core import command
from experiments import residual
from residual import data
from residual.networks import from_weights


def main(words: list[str]) -> int:
    return command.main(residual, "python -m experiments.residual", words)


def test_a_training_writes_a_record_and_weights(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(data, "BUILTIN_SIZES", {"train": 256, "validation": 20, "test": 30})
    out, weights = tmp_path / "plain8.json", tmp_path / "plain8.safetensors"
    words = "--depth 8 --shortcut none --epochs 1 --seed 3"
    assert main([*words.split(), "--out", str(out), "--weights", str(weights)]) == 0
    record = json.loads(out.read_text())
    assert record["command"] == (
        "python -m experiments.residual --depth 8 --shortcut none --data builtin --epochs 1 "
        "--learning-rate 0.1 --seed 3 --out plain8.json"
    )
    assert (record["seed"], record["parameters"]["depth"], len(record["history"])) == (3, 8, 1)
    assert record["data"]["name"] == "builtin"
    assert record["data"]["images"] == {"train": 256, "validation": 20, "test": 30}
    assert 0 <= record["test"]["accuracy"] <= 1 and str(tmp_path) not in out.read_text()
    assert from_weights(weights).configuration["shortcut"] == "none"
    assert "in the test" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, message",
    [
        (["--depth", "21"], "error: There is no network of depth 21"),
        (["--shortcut", "nona"], 'did you mean "none"?'),
        (["--seed", "-1"], "error: seed is -1"),
        (["--epochs", "0"], "error: epochs is 0"),
        (["--data", "nowhere"], "error: nowhere holds neither"),
    ],
)
def test_mistakes_end_in_one_sentence(words, message, tmp_path, capsys):
    assert main([*words, "--out", str(tmp_path / "x.json")]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
