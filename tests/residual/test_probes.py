"""Probes of gradients: right by arithmetic and by finite differences, and without effect on what they probe."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from core.training import seed_everything
from residual import probes
from residual.networks import Network, main_convolutions

X, LABELS = torch.randn(12, 3, 16, 16, generator=torch.Generator().manual_seed(0)), torch.arange(12) % 10
WEIGHT = "blocks.0.conv1.weight"


def network(**arguments) -> Network:
    seed_everything(0)
    return Network(8, **arguments)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_a_gradient_is_what_backward_leaves(batch_norm):
    model, other = network(batch_norm=batch_norm), network(batch_norm=batch_norm)
    functional.cross_entropy(other.train()(X), LABELS).backward()
    read = probes.weight_gradients(model, X, LABELS, [WEIGHT, "linear.bias"])
    assert torch.equal(read[WEIGHT], other.blocks[0].conv1.weight.grad)
    assert torch.equal(read["linear.bias"], other.linear.bias.grad)
    norms = probes.gradient_norms(model, X, LABELS)
    expected = {name: layer.weight.grad.norm().item() for name, layer in main_convolutions(other).items()}
    assert norms == pytest.approx(expected, rel=1e-4) and list(norms) == list(expected)


def test_a_gradient_is_the_slope_of_the_loss():
    model = network().double()
    gradient = probes.weight_gradients(model, X.double(), LABELS, [WEIGHT])[WEIGHT]
    losses = []
    for step in (-1e-5, 1e-5):
        with torch.no_grad():
            model.blocks[0].conv1.weight += step * gradient
            losses.append(functional.cross_entropy(model(X.double()), LABELS).item())
            model.blocks[0].conv1.weight -= step * gradient
    assert (losses[1] - losses[0]) / 2e-5 == pytest.approx(gradient.square().sum().item(), rel=1e-3)


@pytest.mark.parametrize(
    "probe",
    [probes.gradient_norms, probes.signals, lambda model, x, labels: probes.noise(model, [(x, labels)] * 2, [WEIGHT])],
)
def test_probes_change_nothing(probe):
    model = network().train()
    model.blocks[1].eval()  # a mode that is not the same everywhere
    functional.cross_entropy(model(X), LABELS).backward()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    gradients = [p.grad.clone() for p in model.parameters()]
    modes, drawn = [module.training for module in model.modules()], torch.get_rng_state()
    probe(model, X, LABELS)
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert all(torch.equal(p.grad, gradient) for p, gradient in zip(model.parameters(), gradients))
    assert [module.training for module in model.modules()] == modes and torch.equal(torch.get_rng_state(), drawn)
    assert not any(module._forward_hooks for module in model.modules())


def test_signals_of_a_chain_of_identities():
    """With F = 0 and positive inputs, each block of a stage passes both signals on as they are."""
    model = Network(20, batch_norm=False)
    nn.init.constant_(model.stem.weight, 0.1)
    for block in model.blocks:
        nn.init.zeros_(block.conv2.weight)
    read = probes.signals(model, X.abs(), LABELS)
    assert list(read) == [f"blocks.{number}" for number in range(9)]
    for later in ("blocks.1", "blocks.2"):
        assert read[later] == pytest.approx(read["blocks.0"], rel=1e-4)
    rms = model.stem(X.abs()).square().mean().sqrt().item()
    assert read["blocks.0"][0] == pytest.approx(rms) and read["blocks.0"][1] > 0


def test_noise_by_hand():
    """A linear model whose gradient is known: the mean of (softmax - target) x."""
    model = nn.Linear(2, 2, bias=False)
    nn.init.zeros_(model.weight)
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 0.0]])
    found = probes.noise(model, [(a, torch.tensor([0])), (b, torch.tensor([0]))], ["weight"])["weight"]
    # the gradients are ±0.5 x: (0.5, 1.5) in the first column with both signs; mean 1, deviations 0.5
    assert found.norm == pytest.approx(math.sqrt(2)) and found.spread == pytest.approx(1.0)
    assert found.relative == pytest.approx(1 / math.sqrt(2))
    same = probes.noise(model, [(a, torch.tensor([0]))] * 3, ["weight"])["weight"]
    assert same.relative == 0


def test_noise_falls_with_the_root_of_the_batch():
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    x, labels = torch.randn(6400, 4), torch.randint(3, (6400,))
    spread = {
        size: probes.noise(model, zip(x.split(size), labels.split(size)), ["weight"])["weight"].spread
        for size in (16, 64)
    }
    assert spread[16] / spread[64] == pytest.approx(2, rel=0.2)


def test_default_initialisation_loses_a_root_of_three_a_layer_and_xavier_does_not():
    """tanh is nearly the identity for small signals, so the factor is the initialisation's: 1/√3 for torch's."""
    kept = {}
    for name in ("torch", "xavier"):
        seed_everything(0)
        model = Network(35, "none", "tanh", batch_norm=False, initialisation=name)
        backward = [norm for _, norm in probes.signals(model, X, LABELS).values()][:5]  # 16 filters, no stride
        kept[name] = (backward[0] / backward[4]) ** (1 / 8)  # eight convolutions between
    assert kept["torch"] == pytest.approx(1 / math.sqrt(3), rel=0.1) and kept["xavier"] > 0.85
