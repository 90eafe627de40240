"""Training: what must hold by arithmetic, and that it learns."""

import dataclasses

import pytest
import torch
from torch.nn import functional

from core.errors import CourseError
from core.training import seed_everything
from residual.data import load, normalise
from residual.networks import Network
from residual.training import Recipe, evaluate, fit, shuffled

SMALL = load("builtin").reduced(train=400, side=16)
RECIPE = Recipe(epochs=3, batch_size=50, learning_rate=0.05)


def test_learns_repeats_and_obeys_its_seed():
    histories = []
    for seed in (0, 0, 1):
        seed_everything(0)
        model = Network(8)
        histories.append(fit(model, SMALL, dataclasses.replace(RECIPE, seed=seed)))
        assert not model.training
    losses = [[epoch["train_loss"] for epoch in history] for history in histories]
    assert losses[0] == losses[1] != losses[2]
    assert losses[0][-1] < losses[0][0] < 5
    assert histories[0][-1]["validation"]["accuracy"] > 0.15  # chance is 0.1
    assert histories[0][0]["learning_rate"] == RECIPE.learning_rate / 2 > histories[0][-1]["learning_rate"] > 0


def test_an_epoch_shows_each_picture_once():
    indexed = dataclasses.replace(SMALL.train, labels=torch.arange(400))
    batches = [batch.labels for batch in shuffled(indexed, 150, torch.Generator().manual_seed(0))]
    assert [len(batch) for batch in batches] == [150, 150] and len(torch.cat(batches).unique()) == 300


def test_evaluation_is_that_of_plain_torch_and_changes_nothing():
    torch.manual_seed(0)
    model = Network(8).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    figures = evaluate(model, SMALL.validation)
    assert model.training and all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    model.eval()
    logits = model(normalise(SMALL.validation.images))
    loss = functional.cross_entropy(logits, SMALL.validation.labels).item()
    assert figures["loss"] == pytest.approx(loss, rel=0.02)  # bfloat16 where there is hardware for it
    right = (logits.argmax(1) == SMALL.validation.labels).float().mean().item()
    assert figures["accuracy"] == pytest.approx(right, abs=0.02)


def test_wrong_figures_are_refused():
    with pytest.raises(CourseError, match="epochs is 0"):
        Recipe(epochs=0)
    with pytest.raises(CourseError, match="batch of 500"):
        fit(Network(8), SMALL, Recipe(batch_size=500))
    with pytest.raises(CourseError, match="lower the learning rate"):
        fit(Network(8, "none", batch_norm=False), SMALL, dataclasses.replace(RECIPE, learning_rate=1e6))
