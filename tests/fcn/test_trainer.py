"""fcn.trainer: resuming, what is refused, and what training must be able to learn."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import samples
import torch
from samples import same_weights
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from core.checkpoint import load_weights, read_configuration
from core.errors import CourseError
from core.training import seed_everything
from core.training_state import alone_in, read_checkpoint
from fcn.batches import Batches
from fcn.dataset import CLASSES, VOID, CMPFacade
from fcn.evaluation import evaluate, predict
from fcn.models import FCN8s, FCN32s, from_weights
from fcn.recipes import Training
from fcn.trainer import best_epoch, fit

QUICK = Training(epochs=3, batch_size=2, learning_rate=2e-3, precision="float32", seed=5)


def small_network() -> FCN8s:
    seed_everything(3)
    return FCN8s(width=0.125, padding="aligned")


def train(root, folder, resume=False, **changes) -> tuple[nn.Module, list[dict]]:
    model = small_network()
    dataset = CMPFacade(root, "train")
    history = fit(model, dataset, CMPFacade(root, "val"), dataclasses.replace(QUICK, **changes), folder, resume)
    return model, history


def without_seconds(history: list[dict]) -> list[dict]:
    return [{key: value for key, value in epoch.items() if not key.endswith("seconds")} for epoch in history]


def test_learns_what_colour_tells(small_facades, tmp_path):
    model, history = train(small_facades, tmp_path, epochs=12, learning_rate=2e-3)
    assert history[-1]["train_loss"] < 0.5 * history[0]["train_loss"]
    assert evaluate(model, CMPFacade(small_facades, "test")).pixel_accuracy() > 0.8


def test_the_best_epoch_is_what_remains(small_facades, tmp_path):
    model, history = train(small_facades, tmp_path)
    figures = evaluate(model, CMPFacade(small_facades, "val")).figures()
    assert figures == history[best_epoch(history) - 1]["validation"]
    other = small_network()
    load_weights(other, tmp_path / "best.safetensors")
    assert same_weights(model, other)


def test_same_seed_same_training(small_facades, tmp_path):
    first, one = train(small_facades, tmp_path / "a")
    second, two = train(small_facades, tmp_path / "b")
    assert same_weights(first, second) and without_seconds(one) == without_seconds(two)
    third, _ = train(small_facades, tmp_path / "c", seed=6)
    assert not same_weights(first, third)


KILLED = """
import sys
from pathlib import Path
sys.path[:0] = {tests!r}
import test_trainer
test_trainer.train(Path({root!r}), Path({folder!r}), epochs=60)
"""


def test_a_killed_run_resumes_bit_for_bit(small_facades, tmp_path):
    code = KILLED.format(
        tests=[os.path.dirname(__file__), os.path.dirname(samples.__file__)],
        root=str(small_facades),
        folder=str(tmp_path / "killed"),
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    checkpoint = tmp_path / "killed" / "checkpoint.pt"
    while not checkpoint.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = len(torch.load(checkpoint, weights_only=True)["history"])
    assert 1 <= done < 60
    resumed, history = train(small_facades, tmp_path / "killed", resume=True, epochs=done + 2)
    straight, expected = train(small_facades, tmp_path / "straight", epochs=done + 2)
    assert same_weights(resumed, straight) and without_seconds(history) == without_seconds(expected)


def test_checkpoint_of_another_configuration(small_facades, tmp_path):
    train(small_facades, tmp_path, epochs=1)
    with pytest.raises(CourseError, match="differs in learning_rate"):
        train(small_facades, tmp_path, resume=True, learning_rate=1e-5)


def test_damaged_checkpoint(small_facades, tmp_path):
    train(small_facades, tmp_path, epochs=1)
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CourseError, match="not a whole checkpoint"):
        train(small_facades, tmp_path, resume=True)


def rewrite(path: Path, change) -> None:
    state = torch.load(path, weights_only=True)
    torch.save(change(state) or state, path)


@pytest.mark.parametrize(
    "change",
    [
        lambda state: [1, 2, 3],
        lambda state: state.pop("history") and None,
        lambda state: state.update(origin="text"),
        lambda state: state.update(optimiser={"state": {}, "param_groups": []}),
        lambda state: state.update(model={"other.weight": torch.zeros(2)}),
        lambda state: state["generators"].update(cpu=torch.zeros(3, dtype=torch.uint8)),
        lambda state: state.update(history=[3]),
    ],
)
def test_checkpoint_of_another_form(small_facades, tmp_path, change):
    train(small_facades, tmp_path, epochs=1)
    rewrite(tmp_path / "checkpoint.pt", change)
    with pytest.raises(CourseError, match="not a whole checkpoint"):
        train(small_facades, tmp_path, resume=True)


def test_flipped_bits_in_a_checkpoint_are_found(small_facades, tmp_path):
    train(small_facades, tmp_path, epochs=1)
    path = tmp_path / "checkpoint.pt"
    whole = path.read_bytes()
    for place in torch.randint(len(whole) // 10, len(whole) * 9 // 10, (8,)).tolist():
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(CourseError, match="not a whole checkpoint"):
            read_checkpoint(path)


def test_resuming_keeps_to_where_the_weights_came_from(small_facades, tmp_path):
    """Another start (seed, init or pretrained weights) is another training."""
    train(small_facades, tmp_path, epochs=1)
    seed_everything(4)
    other = FCN8s(width=0.125, padding="aligned")
    sets = CMPFacade(small_facades, "train"), CMPFacade(small_facades, "val")
    with pytest.raises(CourseError, match="differs in initial weights"):
        fit(other, *sets, QUICK, tmp_path, resume=True)
    with pytest.raises(CourseError, match="differs in validation"):
        fit(small_network(), sets[0], CMPFacade(small_facades, "test"), QUICK, tmp_path, resume=True)


def test_resuming_with_fewer_epochs_than_there_are(small_facades, tmp_path):
    train(small_facades, tmp_path, epochs=2)
    with pytest.raises(CourseError, match="has 2 epochs and epochs is 1; give at least 2"):
        train(small_facades, tmp_path, resume=True, epochs=1)


def test_a_new_training_takes_nothing_from_an_earlier_one(small_facades, tmp_path):
    train(small_facades, tmp_path, epochs=2)
    with pytest.raises(CourseError, match="The loss is"):  # before its first checkpoint
        train(small_facades, tmp_path, learning_rate=1e30)
    assert not (tmp_path / "best.safetensors").exists() and not (tmp_path / "checkpoint.pt").exists()


def test_best_weights_of_another_training_are_not_taken(small_facades, tmp_path):
    train(small_facades, tmp_path / "a", epochs=1)
    train(small_facades, tmp_path / "b", epochs=1, learning_rate=1e-3)
    shutil.copy(tmp_path / "b" / "best.safetensors", tmp_path / "a")
    with pytest.raises(CourseError, match="not the file of best weights that belongs to"):
        train(small_facades, tmp_path / "a", resume=True)


def test_killed_between_the_checkpoint_and_its_best_weights(small_facades, tmp_path):
    straight, _ = train(small_facades, tmp_path / "straight", epochs=3)
    train(small_facades, tmp_path / "cut", epochs=2)
    os.replace(tmp_path / "cut" / "best.safetensors", tmp_path / "cut" / ".better.safetensors")
    resumed, _ = train(small_facades, tmp_path / "cut", resume=True, epochs=3)
    assert same_weights(straight, resumed)


def test_one_training_at_a_time_in_a_folder(small_facades, tmp_path):
    with alone_in(tmp_path), pytest.raises(CourseError, match="Another training is writing to"):
        train(small_facades, tmp_path)
    train(small_facades, tmp_path, epochs=1)


def test_a_split_without_photographs(small_facades, tmp_path):
    empty = CMPFacade(small_facades, "val")
    empty.pairs = []
    with pytest.raises(CourseError, match="The val split of .* is empty"):
        fit(small_network(), CMPFacade(small_facades, "train"), empty, QUICK, tmp_path)
    with pytest.raises(CourseError, match="The val split of .* is empty"):
        evaluate(small_network(), empty)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_split_that_is_void_all_over(split, small_facades, tmp_path):
    class Unlabelled(CMPFacade):
        def read_label(self, path):
            return np.full_like(super().read_label(path), VOID)

    sets = [(Unlabelled if name == split else CMPFacade)(small_facades, name) for name in ("train", "val")]
    with pytest.raises(CourseError, match=f"All pixels of the {split} split of .* are void"):
        fit(small_network(), *sets, QUICK, tmp_path)


def test_class_names_travel_with_the_weights(small_facades, tmp_path):
    train(small_facades, tmp_path, epochs=1)
    assert read_configuration(tmp_path / "best.safetensors")["classes"] == list(CLASSES)
    assert from_weights(tmp_path / "best.safetensors").metadata["classes"] == list(CLASSES)


def test_a_loss_that_is_not_finite_is_one_sentence(small_facades, tmp_path):
    class Broken(FCN32s):
        def forward(self, image):
            return super().forward(image) * float("nan")

    dataset = CMPFacade(small_facades, "train")
    with pytest.raises(CourseError, match="The loss is nan in step 1 of its epoch; lower the learning rate"):
        fit(Broken(width=0.125, padding="aligned"), dataset, dataset, QUICK, tmp_path)


def test_biases_learn_twice_as_fast_and_do_not_decay():

    model = FCN32s(width=0.125, padding="aligned")
    weights, biases = dataclasses.replace(QUICK, double_biases=True).make_optimiser(model).param_groups
    assert (biases["lr"], biases["weight_decay"]) == (2 * weights["lr"], 0)
    assert {p.ndim for p in biases["params"]} == {1} and {p.ndim for p in weights["params"]} == {4}


def test_predictions_and_scores_leave_each_modules_mode_as_it_was(small_facades):
    model = FCN32s(width=0.125, padding="aligned").train()
    model.trunk.eval()
    modes = [module.training for module in model.modules()]
    assert predict(model, torch.zeros(1, 3, 9, 9)).shape == (1, 9, 9)
    evaluate(model, CMPFacade(small_facades, "val"))
    assert [module.training for module in model.modules()] == modes


def test_steps_are_those_of_plain_torch(small_facades, tmp_path):
    """An epoch of `fit` against the loop that torch's tutorials have, on the same order of images."""
    settings = dataclasses.replace(QUICK, epochs=1, optimiser="sgd", weight_decay=0)
    dataset = CMPFacade(small_facades, "train")
    ours = small_network()
    fit(ours, dataset, CMPFacade(small_facades, "val"), settings, tmp_path)
    theirs = small_network().train().to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(theirs.parameters(), settings.learning_rate, momentum=0.9)
    torch.manual_seed(settings.seed)
    for images, labels in Batches(dataset, settings.batch_size, None, torch.device("cpu")):
        optimiser.zero_grad()
        F.cross_entropy(theirs(images), labels, ignore_index=VOID).backward()
        optimiser.step()
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value, rtol=0, atol=1e-6)
    assert not ours.training and not same_weights(ours, small_network())


def test_counting_only_some_pixels(small_facades):
    model, dataset = small_network(), CMPFacade(small_facades, "test")
    only_windows = evaluate(model, dataset, count=lambda label: label == 2)
    assert only_windows.counts.sum(dim=1).nonzero().flatten().tolist() == [2]


@pytest.mark.parametrize("wrong", [{"optimiser": "rmsprop"}, {"precision": "half"}, {"epochs": 0}])
def test_wrong_configuration(wrong):
    with pytest.raises(CourseError, match=next(iter(wrong))):
        Training(**wrong)


class Waits(TorchDispatchMode):
    """Counts what makes a host wait for its GPU: asking for a number, or for as many values as a mask has."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = str(function)
        masked = name.startswith("aten.index.") and any(
            index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1]
        )
        asks = ("aten._local_scalar_dense", "aten.nonzero", "aten.masked_select", "aten.equal", "aten.bincount")
        self.count += masked or name.startswith(asks)
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("network", [FCN8s, partial(FCN8s, backbone="googlenet")])
def test_no_step_waits_for_the_device(network, small_facades, tmp_path, monkeypatch):
    """An epoch of six steps waits as often as one of two."""
    monkeypatch.setattr("core.progress.READ_EVERY", 1e9)  # apart from the look at the losses every second
    sets = CMPFacade(small_facades, "train"), CMPFacade(small_facades, "val")

    def waits(batch_size: int) -> int:
        seed_everything(3)
        model = network(width=0.125, padding="aligned")
        model.trunk.transform_input.fill_(True)
        with Waits() as counting:
            fit(model, *sets, dataclasses.replace(QUICK, epochs=1, batch_size=batch_size), tmp_path)
        return counting.count

    assert waits(1) == waits(3) > 0
