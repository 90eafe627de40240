"""Training: one loop for every network of the course, and the training of a segmentation network around it."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from core.checkpoint import load_weights, state_sha256
from core.devices import autocast, best_device
from core.live import LiveCurves
from core.progress import Batch, Progress
from core.training_state import BEST, TrainingState, alone_in
from fcn.batches import Batches
from fcn.dataset import LabelledPhotographs, class_weights
from fcn.evaluation import check_labelled, figures
from fcn.losses import count_targets, pixel_loss
from fcn.recipes import Training

Loss = Callable[[Tensor, Tensor], Tensor]  # (outputs, targets) → their mean, a scalar


def fit(
    model: nn.Module,
    train_set: LabelledPhotographs,
    validation_set: LabelledPhotographs,
    settings: Training,
    folder: str | Path,
    resume: bool = False,
    initial_sha256: str | None = None,
) -> list[dict]:
    """Trains a segmentation network; leaves it in eval mode with the weights of the best epoch by validation mean IoU.

    Writes `checkpoint.pt` after each epoch and `best.safetensors` after each better one. A resumed run ends with the
    weights of an uninterrupted one, bit for bit on one CPU with one number of threads.

    Args:
        model: images (N, 3, H, W) → logits (N, classes, H, W), with its initial weights; moved to the best device.
        folder: for the two files; one training at a time writes there.
        resume: continue from the folder's checkpoint, if there is one.
        initial_sha256: `state_sha256` of the initial weights, where the model no longer has them.

    Returns:
        One dict per epoch, as from `train_epochs`; `validation` holds the figures of a confusion matrix.

    Raises:
        CourseError: a split has no labelled pixel, the loss is not finite, another training writes to the folder, or
            the checkpoint is damaged, of another training, or longer.
    """
    check_labelled(train_set, validation_set)
    if hasattr(model, "metadata"):
        model.metadata["classes"] = list(train_set.classes)
    origin = {
        **settings.fixed(),
        "network": str(model),
        "initial weights": initial_sha256 or state_sha256(model.state_dict()),
        "train": train_set.sha256(),
        "validation": validation_set.sha256(),
        "scale": train_set.scale,
    }
    device, folder = best_device(), Path(folder)
    model.to(device, memory_format=torch.channels_last)  # convolutions are fastest so, in bfloat16 by far
    batches = Batches(train_set, settings.batch_size, settings.window, device)
    loss_of = partial(pixel_loss, class_weights=class_weights(train_set).to(device) if settings.balanced else None)
    optimiser = settings.make_optimiser(model)
    per_step, per_epoch = settings.make_schedules(optimiser, len(batches))
    state = TrainingState(folder, model, optimiser, per_step or per_epoch, origin)
    score = partial(figures, dataset=validation_set, precision=settings.precision)
    with alone_in(folder), LiveCurves(settings.epochs) as live:
        torch.manual_seed(settings.seed)  # dropout and the order of images don't depend on how weights were drawn
        history = state.begin(resume, settings.epochs)
        epochs = range(len(history) + 1, settings.epochs + 1)
        for entry in train_epochs(model, batches, loss_of, optimiser, score, epochs, per_step, settings.precision):
            if per_epoch is not None:
                per_epoch.step(entry["validation"]["mean_iou"])
            history.append(entry)
            state.save(is_best=best_epoch(history) == entry["epoch"])
            live.draw(history)
        load_weights(model, folder / BEST)
    model.eval()
    return history


def train_epochs(
    model: nn.Module,
    batches: Collection[Batch],
    loss_of: Loss,
    optimiser: torch.optim.Optimizer,
    score: Callable[[nn.Module], dict],
    epochs: range,
    schedule: LRScheduler | None = None,  # after each step
    precision: str = "auto",
) -> Iterator[dict]:
    """Trains epoch by epoch; the model and its batches are on one device.

    Args:
        batches: of one epoch, drawn anew whenever they are iterated over.
        score: the model's figures on validation data.
        epochs: their numbers, from 1 unless the training is resumed.
        precision: as for `core.devices.autocast`.

    Yields:
        After each epoch: epoch, train_loss (mean per target), learning_rate (at its beginning), validation (from
        `score`), seconds, and reading_seconds of them, spent waiting for batches.
    """
    steps = len(batches)
    with Progress(optimiser, steps * (epochs.stop - 1), done=steps * (epochs.start - 1)) as progress:
        for epoch in epochs:
            started, learning_rate = time.perf_counter(), optimiser.param_groups[0]["lr"]
            train_epoch(model, batches, loss_of, optimiser, schedule, precision, progress)
            progress.bar.set_description(f"epoch {epoch}")
            yield {
                "epoch": epoch,
                "train_loss": progress.mean_loss(),
                "learning_rate": learning_rate,
                "validation": score(model),
                "reading_seconds": round(progress.waited, 2),
                "seconds": round(time.perf_counter() - started, 2),
            }


def train_epoch(
    model: nn.Module,
    batches: Iterable[Batch],
    loss_of: Loss,
    optimiser: torch.optim.Optimizer,
    schedule: LRScheduler | None,
    precision: str,
    progress: Progress,
) -> None:
    """Trains one step on each batch; the arguments are those of `train_epochs`."""
    model.train()
    for images, targets in progress.epoch(batches):
        optimiser.zero_grad()
        with autocast(images.device, precision):
            outputs = model(images)
        loss = loss_of(outputs, targets)
        loss.backward()
        optimiser.step()
        if schedule is not None:
            schedule.step()
        progress.add(loss.detach(), count_targets(targets))


def best_epoch(history: list[dict]) -> int:
    """The epoch, counted from 1, with the highest validation mean IoU; the first of equals."""
    return max(history, key=lambda epoch: epoch["validation"]["mean_iou"])["epoch"]
