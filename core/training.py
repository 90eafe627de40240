"""What every training shares: the seeds, the loop of steps, and the learning rates that are fixed beforehand."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from core.errors import CourseError

READ_EVERY = 1.0  # seconds between two looks at the losses

Batch = TypeVar("Batch")


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


def train_steps(
    batches: Iterable[Batch],
    loss_of: Callable[[Batch], Tensor],
    optimiser: Optimizer,
    schedule: LRScheduler | None = None,
) -> Iterator[Tensor]:
    """Trains one step for each batch and yields its loss, detached and not yet waited for.

    The gradients of a step are there to be read until the next one begins.

    Args:
        batches: what `loss_of` takes, drawn one at a time.
        loss_of: the batch's loss, a scalar; it runs the network.
        optimiser: of the weights that learn.
        schedule: sets the learning rate after each step; None leaves it alone.
    """
    for batch in batches:
        loss = loss_of(batch)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if schedule is not None:
            schedule.step()
        yield loss.detach()


def now_and_then(steps: Iterable[Tensor]) -> Iterator[list[float]]:
    """Trains the steps and yields the losses of those done since it last did: every second or so, and at the end.

    Until then they stay where they were computed. To ask a GPU for a number is to wait until it has done all it was
    given, and it idles while the next step is prepared; so no step may.

    Args:
        steps: from `train_steps`.
    """
    waiting, looked = [], time.monotonic()
    for loss in steps:
        waiting.append(loss)
        if time.monotonic() - looked >= READ_EVERY:
            yield torch.stack(waiting).tolist()
            waiting, looked = [], time.monotonic()
    if waiting:
        yield torch.stack(waiting).tolist()


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
