"""What trainings share besides the loop in `fcn.trainer`: seeds, modes, and learning rates fixed beforehand."""

import contextlib
import random
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from core.errors import CourseError


def seed_everything(seed: int) -> None:
    """Sets every generator the course draws from; call it before a network is made.

    Raises:
        CourseError: the seed is not a whole number from 0 to 2³² - 1.
    """
    check_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def check_seed(seed: int) -> None:
    """Raises CourseError unless every generator takes the seed."""
    if not (isinstance(seed, int) and 0 <= seed < 2**32):
        raise CourseError(f"seed is {seed}; give a whole number from 0 to {2**32 - 1}.")


@contextlib.contextmanager
def in_mode(model: nn.Module, training: bool) -> Iterator[None]:
    """Puts a network into training or eval mode; each of its modules gets its own mode back at the end."""
    modes = {module: module.training for module in model.modules()}
    model.train(training)
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def one_cycle(optimiser: Optimizer, steps: int, rising: float = 0.3) -> LRScheduler:
    """Up to the optimiser's learning rates and down to almost nothing, along a cosine.

    Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates" (2018).

    Args:
        steps: of the whole training.
        rising: share of them in which the rate rises.
    """
    highest = [group["lr"] for group in optimiser.param_groups]
    return OneCycleLR(optimiser, highest, total_steps=steps, pct_start=rising)


def rising_then_falling(optimiser: Optimizer, steps: int, rising: float = 0.1) -> LRScheduler:
    """Up to the optimiser's learning rate in a line, then down to zero in a line.

    Args:
        steps: of the whole training.
        rising: share of them in which the rate rises, at least one step; deep plain networks diverge without.
    """
    return LambdaLR(optimiser, lambda step: line(step, steps, rising))


def line(step: int, steps: int, rising: float) -> float:
    """The learning rate of a step (from 0) as a share of the highest: up for a share of the steps, then to zero."""
    first = max(1, round(rising * steps))
    return (step + 1) / first if step < first else (steps - step) / max(1, steps - first)
