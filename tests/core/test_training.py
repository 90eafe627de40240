"""The one loop of steps and the learning rates that are fixed beforehand, against plain torch."""

import pytest
import torch
from torch import nn

from core.errors import CourseError
from core.training import line, one_cycle, rising_then_falling, seed_everything, train_steps


def test_steps_are_those_of_plain_torch():
    torch.manual_seed(0)
    ours, theirs = nn.Linear(3, 1), nn.Linear(3, 1)
    theirs.load_state_dict(ours.state_dict())
    batches = [torch.randn(4, 3) for _ in range(5)]
    optimiser = torch.optim.SGD(ours.parameters(), 0.1, momentum=0.9)
    losses = train_steps(batches, lambda x: ours(x).square().mean(), optimiser, one_cycle(optimiser, 5))
    gradients = [(loss.item(), ours.weight.grad.clone()) for loss in losses]

    optimiser = torch.optim.SGD(theirs.parameters(), 0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, total_steps=5)
    for x, (found, gradient) in zip(batches, gradients, strict=True):
        loss = theirs(x).square().mean()
        optimiser.zero_grad()
        loss.backward()
        assert loss.item() == found and torch.equal(theirs.weight.grad, gradient)
        optimiser.step()
        schedule.step()
    assert torch.equal(ours.weight, theirs.weight) and torch.equal(ours.bias, theirs.bias)


def test_the_learning_rate_rises_then_falls_to_zero_in_lines():
    rates = [line(step, 100, 0.1) for step in range(101)]
    assert rates[:10] == pytest.approx([0.1 * (step + 1) for step in range(10)])
    assert rates[10:] == pytest.approx([1 - step / 90 for step in range(91)])
    assert max(rates) == 1 and rates[100] == 0 and line(0, 1, 0.1) == 1
    optimiser = torch.optim.SGD(nn.Linear(1, 1).parameters(), 0.5)
    assert rising_then_falling(optimiser, 100).get_last_lr() == [pytest.approx(0.05)]


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0"])
def test_a_seed_that_no_generator_takes(seed):
    with pytest.raises(CourseError, match="give a whole number from 0 to 4294967295"):
        seed_everything(seed)
