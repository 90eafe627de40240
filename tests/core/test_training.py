"""Learning rates that are fixed beforehand, and seeds."""

import pytest
import torch
from torch import nn

from core.errors import CourseError
from core.training import line, rising_then_falling, seed_everything


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
