"""How the classifiers train: Nesterov SGD, label smoothing, a learning rate that falls to zero in a line."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.devices import autocast, best_device
from core.errors import CourseError
from core.progress import Batch
from core.training import check_seed, in_mode, rising_then_falling
from fcn.losses import class_loss
from fcn.trainer import train_epochs
from residual.data import Pictures, PictureSet, augment, normalise

MOMENTUM = 0.9
SCORED_AT_ONCE = 500  # pictures


@dataclass(frozen=True)
class Recipe:
    """The settings of a training.

    Attributes:
        epochs: passes over the training pictures.
        batch_size: pictures a step; those left over at an epoch's end wait for the next.
        learning_rate: the highest, reached after a tenth of the steps.
        weight_decay: of all weights.
        label_smoothing: share of the target that is spread evenly over all classes.
        seed: of the order of the pictures, and of how they are shifted and mirrored.
    """

    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 0.1
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)
        for name in ("epochs", "batch_size", "learning_rate"):
            if not getattr(self, name) > 0:
                raise CourseError(f"{name} is {getattr(self, name)}; give a number above 0.")


@dataclass(frozen=True)
class Batches:
    """Full batches of an epoch's pictures, in an order drawn anew whenever they are iterated over, and augmented."""

    pictures: PictureSet
    size: int
    generator: torch.Generator

    def __len__(self) -> int:
        return len(self.pictures) // self.size

    def __iter__(self) -> Iterator[Batch]:
        for batch in shuffled(self.pictures, self.size, self.generator):
            images = augment(normalise(batch.images), self.generator)
            yield images.contiguous(memory_format=torch.channels_last), batch.labels


def fit(model: nn.Module, pictures: Pictures, recipe: Recipe) -> list[dict]:
    """Trains a classifier in place on the best device and leaves it there, in eval mode.

    Returns:
        One dict per epoch, as from `fcn.trainer.train_epochs`: the loss is that of augmented pictures, with label
        smoothing; `validation` holds the figures of `evaluate`.

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
    batches = Batches(train, recipe.batch_size, torch.Generator().manual_seed(recipe.seed))
    optimiser = torch.optim.SGD(
        model.parameters(),
        recipe.learning_rate,
        MOMENTUM,
        weight_decay=recipe.weight_decay,
        nesterov=True,
        fused=True,
    )
    schedule = rising_then_falling(optimiser, recipe.epochs * len(batches))
    loss_of = partial(class_loss, label_smoothing=recipe.label_smoothing)
    score = partial(evaluate, pictures=validation)
    history = list(train_epochs(model, batches, loss_of, optimiser, score, range(1, recipe.epochs + 1), schedule))
    model.eval()
    return history


def shuffled(pictures: PictureSet, batch_size: int, generator: torch.Generator) -> Iterator[PictureSet]:
    """Yields full batches of pictures in a drawn order; those left over are not shown."""
    order = torch.randperm(len(pictures), generator=generator).to(pictures.labels.device)
    for batch in order.split(batch_size):
        if len(batch) == batch_size:
            yield pictures.subset(batch)


@torch.no_grad()
def evaluate(model: nn.Module, pictures: PictureSet) -> dict[str, float]:
    """Accuracy (0 to 1) and mean cross-entropy, in eval mode; no picture is augmented. The model's mode is restored."""
    device = next(model.parameters()).device
    correct, loss = 0, 0.0
    with in_mode(model, training=False):
        for start in range(0, len(pictures), SCORED_AT_ONCE):
            batch = pictures.subset(slice(start, start + SCORED_AT_ONCE)).to(device)
            logits = _logits(model, normalise(batch.images))
            correct += (logits.argmax(dim=1) == batch.labels).sum().item()
            loss += F.cross_entropy(logits, batch.labels, reduction="sum").item()
    return {"accuracy": correct / len(pictures), "loss": loss / len(pictures)}


def _logits(model: nn.Module, x: Tensor) -> Tensor:
    with autocast(x.device, "auto"):
        return model(x.contiguous(memory_format=torch.channels_last)).float()
