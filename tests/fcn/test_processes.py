"""Several processes train as one does: the same steps, one that writes, and an end when one of them dies."""

import dataclasses
import json
import multiprocessing
import os
import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from core import processes
from core.checkpoint import load_weights
from core.command import finish
from core.errors import CourseError
from core.training import seed_everything
from core.training_state import read_checkpoint
from fcn.dataset import CMPFacade
from fcn.models import FCN32s
from fcn.reading import Reading
from fcn.trainer import Training, fit

# Five of six photographs in a batch, then one: the shares are unlike, and at the end one is empty.
TRAINING = Training(epochs=3, batch_size=5, learning_rate=0.02, optimiser="sgd", precision="float32", seed=5)


def network() -> FCN32s:
    """Without dropout, which each process draws for itself."""
    seed_everything(3)
    model = FCN32s(width=0.125, padding="aligned")
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    return model


def train(root: Path, folder: Path, training: Training = TRAINING, resume: bool = False) -> list[dict]:
    return fit(network(), CMPFacade(root, "train"), CMPFacade(root, "val"), training, folder, resume)


def together(count: int, work: Callable[[], object]) -> list[int]:
    """Exit statuses of so many processes that do some work, with what torchrun tells them."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    told = {"WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "MASTER_ADDR": "localhost", "MASTER_PORT": port}

    def begin(rank: int) -> None:
        torch.set_num_threads(1)
        os.environ.update({name: str(value) for name, value in told.items()}, RANK=str(rank), LOCAL_RANK=str(rank))

        def joined() -> None:
            with processes.joined():
                work()

        raise SystemExit(finish(joined))

    # A copy of this process has all it needs imported.
    started = [multiprocessing.get_context("fork").Process(target=begin, args=(rank,)) for rank in range(count)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    return [process.exitcode for process in started]


def assert_alike(folder: Path, other: Path) -> None:
    """The last weights, to rounding, and the same history."""
    one, two = (read_checkpoint(each / "checkpoint.pt") for each in (folder, other))
    for name, value in one["model"].items():
        torch.testing.assert_close(two["model"][name], value, rtol=0, atol=1e-5)
    for epoch, expected in zip(two["history"], one["history"], strict=True):
        assert epoch["train_loss"] == pytest.approx(expected["train_loss"], abs=1e-5)
        assert epoch["validation"]["pixel_accuracy"] == pytest.approx(
            expected["validation"]["pixel_accuracy"], abs=1e-3
        )


@pytest.mark.parametrize("window", [None, 33])
def test_two_processes_train_as_one(window, small_facades, tmp_path):
    training = dataclasses.replace(TRAINING, window=window)
    alone = train(small_facades, tmp_path / "alone", training)
    assert together(2, lambda: train(small_facades, tmp_path / "joint", training)) == [0, 0]
    assert_alike(tmp_path / "alone", tmp_path / "joint")
    assert alone[-1]["train_loss"] < 0.9 * alone[0]["train_loss"]
    load_weights(network(), tmp_path / "joint" / "best.safetensors")


def test_when_one_is_killed_the_others_end_and_the_training_goes_on(small_facades, tmp_path, monkeypatch, capfd):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    train(small_facades, straight)

    with monkeypatch.context() as patch:
        whole, begun = Reading.epoch, []

        def epoch(reading: Reading):
            begun.append(reading)
            for number, batch in enumerate(whole(reading)):
                if processes.rank() == 1 and len(begun) == 2 and number == 1:
                    os.kill(os.getpid(), signal.SIGKILL)
                yield batch

        patch.setattr(Reading, "epoch", epoch)
        assert together(2, lambda: train(small_facades, killed)) == [1, -signal.SIGKILL]
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error")]
    assert said == [
        "error: Another process of this training has ended; the same command with --resume goes on from the last epoch."
    ]
    assert len(read_checkpoint(killed / "checkpoint.pt")["history"]) == 1
    assert together(2, lambda: train(small_facades, killed, resume=True)) == [0, 0]
    assert_alike(straight, killed)


def test_of_a_mistake_that_all_make_one_speaks(small_facades, tmp_path, capfd):
    small = dataclasses.replace(TRAINING, batch_size=1)
    statuses = together(2, lambda: train(small_facades, tmp_path, small))
    assert sorted(statuses) == [1, 2]
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error")]
    assert said == ["error: A batch of 1 images is too small for 2 processes; start at most 1."]


def test_other_data_on_another_machine(small_facades, tmp_path, capfd):
    elsewhere = shutil.copytree(small_facades, tmp_path / "elsewhere")
    (elsewhere / "splits.json").write_text(json.dumps({"train": 5, "validation": 3, "test": 2}))
    assert 2 in together(2, lambda: train(elsewhere if processes.rank() else small_facades, tmp_path / "out"))
    assert "differ in train, validation; let all train with the same code" in capfd.readouterr().err
    assert not (tmp_path / "out" / "checkpoint.pt").exists()


def test_a_number_of_processes_that_torchrun_has_not_set(monkeypatch):
    for name in processes.SET_BY_TORCHRUN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(CourseError, match="WORLD_SIZE is 2 but RANK is not set; start several"), processes.joined():
        pass
    assert processes.count() == 1 and processes.rank() == 0 and processes.share("abc") == "abc"
