"""How the classifiers train: Nesterov SGD, label smoothing, a learning rate that falls to zero in a line."""

import math
import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm.auto import tqdm

from core.devices import best_device, multiplies_bfloat16
from core.errors import CourseError
from core.training import check_seed, now_and_then, rising_then_falling, train_steps
from residual.data import Pictures, PictureSet, augment, normalise
from residual.whitening import whiten

MOMENTUM = 0.9
WHITENING_PICTURES = 1000
SCORED_AT_ONCE = 500  # pictures


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        epochs: passes over the training pictures.
        batch_size: pictures a step; those left over at an epoch's end wait for the next.
        learning_rate: the highest, reached after a tenth of the steps.
        weight_decay: of all weights.
        label_smoothing: share of the target that is spread evenly over all classes.
        whitening: whether the first layer is a fixed whitening one (see `residual.whitening`).
        seed: of the order of the pictures, and of how they are shifted and mirrored.
    """

    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 0.1
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    whitening: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)
        for name in ("epochs", "batch_size", "learning_rate"):
            if not getattr(self, name) > 0:
                raise CourseError(f"{name} is {getattr(self, name)}; give a number above 0.")


def fit(model: nn.Module, pictures: Pictures, recipe: Recipe) -> list[dict]:
    """Trains a classifier in place on the best device and leaves it there, in eval mode.

    Convolutions run on channels-last memory, and in bfloat16 where the hardware multiplies it.

    Returns:
        One dict per epoch: epoch (from 1), train_loss (mean over the augmented pictures, with label smoothing),
        learning_rate (at its end), validation (figures of `evaluate`), seconds.

    Raises:
        CourseError: there are fewer pictures than a batch, or the loss is not finite.
    """
    if len(pictures.train) < recipe.batch_size:
        raise CourseError(
            f"A batch of {recipe.batch_size} is more than the {len(pictures.train)} training pictures; "
            "give more pictures."
        )
    device = best_device()
    model.to(device, memory_format=torch.channels_last)
    train, validation = pictures.train.to(device), pictures.validation.to(device)
    if recipe.whitening:
        whiten(model.stem, normalise(train.images[:WHITENING_PICTURES]))
    generator = torch.Generator().manual_seed(recipe.seed)
    optimiser = torch.optim.SGD(
        [p for p in model.parameters() if p.requires_grad],
        recipe.learning_rate,
        MOMENTUM,
        weight_decay=recipe.weight_decay,
        nesterov=True,
        fused=True,
    )
    steps = recipe.epochs * (len(train) // recipe.batch_size)
    schedule = rising_then_falling(optimiser, steps)

    def loss_of(batch: PictureSet) -> Tensor:
        x = augment(normalise(batch.images), generator)
        return functional.cross_entropy(_logits(model, x), batch.labels, label_smoothing=recipe.label_smoothing)

    history = []
    bar = tqdm(total=steps, unit="batch", leave=False)
    for epoch in range(1, recipe.epochs + 1):
        started = time.perf_counter()
        model.train()
        batches = shuffled(train, recipe.batch_size, generator)
        losses: list[float] = []
        for done in now_and_then(train_steps(batches, loss_of, optimiser, schedule)):
            losses += done
            bar.set_postfix(loss=f"{losses[-1]:.3f}", rate=f"{schedule.get_last_lr()[0]:.1e}", refresh=False)
            bar.update(len(done))
        loss = statistics.fmean(losses)
        if not math.isfinite(loss):
            raise CourseError(
                f"The training loss is {loss} in epoch {epoch}; lower the learning rate ({recipe.learning_rate})."
            )
        history.append(
            {
                "epoch": epoch,
                "train_loss": loss,
                "learning_rate": schedule.get_last_lr()[0],
                "validation": evaluate(model, validation),
                "seconds": round(time.perf_counter() - started, 2),
            }
        )
    bar.close()
    model.eval()
    return history


def shuffled(pictures: PictureSet, batch_size: int, generator: torch.Generator):
    """Yields full batches of pictures in a drawn order."""
    order = torch.randperm(len(pictures), generator=generator).to(pictures.labels.device)
    for batch in order.split(batch_size):
        if len(batch) == batch_size:
            yield pictures.subset(batch)


@torch.no_grad()
def evaluate(model: nn.Module, pictures: PictureSet) -> dict[str, float]:
    """Accuracy (0 to 1) and mean cross-entropy, in eval mode; no picture is augmented. The model's mode is restored."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    correct, loss = 0, 0.0
    for start in range(0, len(pictures), SCORED_AT_ONCE):
        batch = pictures.subset(slice(start, start + SCORED_AT_ONCE)).to(device)
        logits = _logits(model, normalise(batch.images))
        correct += (logits.argmax(dim=1) == batch.labels).sum().item()
        loss += functional.cross_entropy(logits, batch.labels, reduction="sum").item()
    model.train(was_training)
    return {"accuracy": correct / len(pictures), "loss": loss / len(pictures)}


def _logits(model: nn.Module, x: Tensor) -> Tensor:
    with torch.autocast(x.device.type, torch.bfloat16, enabled=multiplies_bfloat16(x.device)):
        return model(x.contiguous(memory_format=torch.channels_last)).float()
