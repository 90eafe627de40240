"""The progress of a training: a bar, and the losses so far."""

import math
import time
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor
from torch.optim import Optimizer
from tqdm.auto import tqdm

from core.errors import CourseError

READ_EVERY = 1.0  # seconds between two reads of losses

Batch = tuple[Tensor, Tensor]


class Progress:
    """Shows a training's progress without making its device wait.

    To ask a GPU for a number is to wait until it has done all that it was given, and it idles while the next step is
    prepared. So losses stay on their device and are read together, about once a second.

    Args:
        optimiser: whose learning rate is shown.
        steps: of the whole training.
        done: steps of an earlier run that this one continues.
        title: before the bar.

    Attributes:
        losses: of the steps of the current epoch, as far as they have been read.
        waited: seconds for which the current epoch waited for batches.
    """

    def __init__(self, optimiser: Optimizer, steps: int, done: int = 0, title: str | None = None) -> None:
        self.optimiser = optimiser
        self.bar = tqdm(total=steps, initial=done, desc=title, unit="batch")

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.bar.close()

    def epoch(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yields the batches of an epoch; `add` is to be called once for each.

        Raises:
            CourseError: a loss is not finite.
        """
        self.losses: list[float] = []
        self.counts: list[int] = []
        self.waited, self._unread, self._last_read = 0.0, [], time.monotonic()
        started = time.perf_counter()
        for batch in batches:
            self.waited += time.perf_counter() - started
            yield batch
            started = time.perf_counter()
        self._read()

    def add(self, loss: Tensor, count: Tensor) -> None:
        """Notes a step's loss, a mean over `count` targets; both stay on their device until they are read."""
        self._unread.append((loss, count))
        if time.monotonic() - self._last_read >= READ_EVERY:
            self._read()

    def mean_loss(self) -> float:
        """The mean loss per target in the current epoch."""
        return math.fsum(loss * count for loss, count in zip(self.losses, self.counts)) / sum(self.counts)

    def _read(self) -> None:
        if not self._unread:
            return
        losses, counts = (torch.stack(values).tolist() for values in zip(*self._unread))
        self.losses += losses
        self.counts += counts
        for step, loss in enumerate(self.losses, start=1):
            if not math.isfinite(loss):
                raise CourseError(f"The loss is {loss} in step {step} of its epoch; lower the learning rate.")
        rate = self.optimiser.param_groups[0]["lr"]
        self.bar.set_postfix(loss=f"{self.mean_loss():.3f}", rate=f"{rate:.1e}", refresh=False)
        self.bar.update(len(losses))
        self._unread, self._last_read = [], time.monotonic()
