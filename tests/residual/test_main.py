"""The command line: what it writes, and what it says to mistakes."""

import math

import pytest
import torch

from core import command
from residual import __main__ as residual_command
from residual import data, gradients


def main(arguments: list[str]) -> int:
    return command.main(residual_command, "python -m residual", arguments)


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch):
    monkeypatch.setattr(data, "BUILTIN_SIZES", {"train": 256, "validation": 20, "test": 30})


@pytest.mark.parametrize("metric, words", [("layers", "early layer"), ("norm", "whole gradient"), ("std", "relative")])
def test_gradients_prints_and_plots(tmp_path, capsys, monkeypatch, metric, words):
    monkeypatch.setattr(gradients, "BATCH_SIZE", 16)
    out = tmp_path / "plot.png"
    assert (
        main(["gradients", "--model", "Residual_tanh35", "--metric", metric, "--iterations", "2", "--out", str(out)])
        == 0
    )
    assert words in capsys.readouterr().out and out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", gradients.NAMES)
def test_the_exercises_networks_can_be_made(name):
    model = gradients.make(name, seed=0)
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 10)
    has_norms = any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())
    assert has_norms != ("tanh" in name)
    assert ("CNN" in name) == all(block.shortcut is None for block in model.blocks)


def test_reading_gradients_does_not_change_the_training(monkeypatch):
    """The norms of the first step are those of a separate backward pass; two runs read the same."""
    monkeypatch.setattr(gradients, "BATCH_SIZE", 16)
    pictures = data.load().train
    traces = [gradients.follow(gradients.make("CNN_tanh35", 0), pictures, 2, seed=1) for _ in range(2)]
    assert traces[0] == traces[1] and len(traces[0].early) == 2
    trace = traces[0]
    assert 0 < trace.early[0] < 1e-7 < 1e-4 < trace.late[0] < trace.norm[0]
    assert all(math.isfinite(value) for value in trace.std)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["gradients", "--model", "CNN_35"], 'error: There is no network "CNN_35"; did you mean "CNN35"?'),
        (["gradients", "--model", "CNN35", "--iterations", "0"], "error: --iterations is 0"),
        (["gradients", "--model", "CNN35", "--out", "plot.jpg"], "error: --out is plot.jpg; name a .png file."),
        (["gradients", "--model", "CNN35", "--seed", "-1"], "error: seed is -1"),
        (["gradients", "--model", "CNN35", "--data", "nowhere"], "error: nowhere holds neither"),
    ],
)
def test_mistakes_end_in_one_sentence(arguments, message, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
