"""Training, evaluation and resuming, the same for every network of the course."""

import math
import operator
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from core.checkpoint import load_weights, state_sha256
from core.devices import autocast, best_device
from core.errors import CourseError
from core.live import LiveCurves
from core.training import now_and_then, train_steps
from core.training_state import ANEW, BEST, CHECKPOINT, TrainingState, alone_in
from fcn.dataset import VOID, LabelledPhotographs, class_weights
from fcn.metrics import ConfusionMatrix
from fcn.reading import Batch, Reading
from fcn.recipes import Training


def fit(
    model: nn.Module,
    train: LabelledPhotographs,
    validation: LabelledPhotographs,
    training: Training,
    folder: str | Path,
    resume: bool = False,
    start: str | None = None,
) -> list[dict]:
    """Trains, keeps the best epoch by validation mean IoU, and leaves the model with its weights.

    Writes `checkpoint.pt` (everything to go on from) after each epoch and `best.safetensors` after each better one.
    A run that was stopped and resumed gives the same weights, bit for bit, as one that wasn't, on one CPU with one
    number of threads; on a GPU some backward passes add in no fixed order.

    Args:
        model: images (N, 3, H, W) → logits (N, classes, H, W), with the weights to start from; is moved to the best
            device.
        folder: for the two files; one training at a time writes there.
        resume: go on from the folder's checkpoint, if there is one, instead of anew.
        start: `state_sha256` of the weights that the training began from, where the model has others by now; by
            default that of the model.

    Returns:
        One dict per epoch: epoch (from 1), train_loss (mean per pixel), learning_rate, seconds (of which
        reading_seconds waiting for images), and validation, the scores of its confusion matrix.

    Raises:
        CourseError: a split is empty, the loss is not finite, another training writes to the folder, the
            checkpoint is damaged, of another origin, or longer than `epochs`.
    """
    for dataset in (train, validation):
        if len(dataset) == 0:
            raise CourseError(f"The {dataset.split} split of {dataset.root} is empty; give it at least one photograph.")
    device, folder = best_device(), Path(folder)
    if hasattr(model, "metadata"):
        model.metadata["classes"] = list(train.classes)
    # What must be the same for a resumed run to be the same run; how many epochs there are may change.
    configuration = {
        **asdict(training),
        "network": str(model),
        "start": start or state_sha256(model.state_dict()),
        "train": train.sha256(),
        "validation": validation.sha256(),
        "scale": train.scale,
    }
    del configuration["workers"]
    if training.schedule != "one cycle":  # its rates depend on how many steps there are to be
        del configuration["epochs"]
    # Convolutions are fastest with the channels of a pixel side by side, in bfloat16 by far.
    model.to(device, memory_format=torch.channels_last)
    optimiser = training.make_optimiser(model)
    weights = class_weights(train).to(device) if training.balanced else None
    reading = Reading(train, training.batch_size, training.window, training.workers, device)
    each_step, each_epoch = training.make_schedules(optimiser, len(reading))
    state = TrainingState(folder, model, optimiser, each_step or each_epoch, configuration)
    with alone_in(folder):
        torch.manual_seed(training.seed)  # dropout and the order of images don't depend on how weights were drawn
        if resume and (folder / CHECKPOINT).is_file():
            state.load()
        else:
            state.begin()
        if len(state.history) > training.epochs:
            raise CourseError(
                f"The checkpoint in {folder} has {len(state.history)} epochs and epochs is {training.epochs}; "
                f"give at least {len(state.history)}, or {ANEW}."
            )
        batches = {"total": training.epochs * len(reading), "initial": len(state.history) * len(reading)}
        with tqdm(**batches, unit="batch") as bar, LiveCurves(training.epochs) as live:
            while len(state.history) < training.epochs:
                started, learning_rate = time.perf_counter(), optimiser.param_groups[0]["lr"]
                waited = reading.seconds
                loss = _train_epoch(model, reading, training, weights, optimiser, each_step, bar)
                matrix = evaluate(model, validation, training.precision, workers=training.workers)
                if each_epoch is not None:
                    each_epoch.step(matrix.mean_iou())
                state.history.append(
                    {
                        "epoch": len(state.history) + 1,
                        "train_loss": loss,
                        "learning_rate": learning_rate,
                        "validation": matrix.figures(),
                        "reading_seconds": round(reading.seconds - waited, 2),
                        "seconds": round(time.perf_counter() - started, 2),
                    }
                )
                state.save(is_best=best_epoch(state.history) == len(state.history))
                bar.set_description(f"epoch {len(state.history)}: validation mean IoU {matrix.mean_iou():.3f}")
                live.draw(state.history)
        load_weights(model, folder / BEST)
    return state.history


def best_epoch(history: list[dict]) -> int:
    """The epoch, counted from 1, with the highest validation mean IoU; the first of equals."""
    return max(history, key=lambda epoch: epoch["validation"]["mean_iou"])["epoch"]


def predict(model: nn.Module, image: Tensor, precision: str = "float32") -> Tensor:
    """The most likely class of each pixel: (N, 3, H, W) normalised → (N, H, W) int64, dropout off."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    with torch.inference_mode(), autocast(device, precision):
        classes = model(image.to(device)).argmax(dim=1)
    model.train(was_training)
    return classes


def evaluate(
    model: nn.Module,
    dataset: LabelledPhotographs,
    precision: str = "float32",
    count: Callable[[Tensor], Tensor] | None = None,
    workers: int = 0,
) -> ConfusionMatrix:
    """One confusion matrix over a split, image by image, so that no padding enters.

    Args:
        count: label (N, H, W) → bool (N, H, W), the pixels to count; all by default.
        workers: processes that read images.

    Raises:
        CourseError: the split is empty.
    """
    matrices = list(evaluate_each(model, dataset, precision, count, workers))
    if not matrices:
        raise CourseError(f"The {dataset.split} split of {dataset.root} is empty; there is nothing to score.")
    return sum(matrices[1:], start=matrices[0])


def evaluate_each(
    model: nn.Module,
    dataset: LabelledPhotographs,
    precision: str = "float32",
    count: Callable[[Tensor], Tensor] | None = None,
    workers: int = 0,
) -> Iterator[ConfusionMatrix]:
    """A confusion matrix for each image of a split; the arguments are those of `evaluate`."""
    device = next(model.parameters()).device
    for image, label in DataLoader(dataset, num_workers=workers):
        with torch.inference_mode(), autocast(device, precision):
            model.eval()
            logits = model(image.to(device))
        label, matrix = label.to(device), ConfusionMatrix(logits.shape[1])
        matrix.update(logits.argmax(dim=1), label if count is None else label.masked_fill(~count(label), VOID))
        yield matrix


def _train_epoch(
    model: nn.Module,
    reading: Reading,
    training: Training,
    weights: Tensor | None,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler | None,
    bar: tqdm,
) -> float:
    """One pass over the images in a drawn order; returns the mean loss per pixel.

    Args:
        weights: of the classes, or None.
    """
    losses: list[float] = []
    counted: list[int] = []  # pixels of each batch

    def loss_of(batch: Batch) -> Tensor:
        counted.append(batch.counted)
        with autocast(reading.device, training.precision):
            logits = model(batch.image)
        loss = functional.cross_entropy(logits, batch.label, weights, ignore_index=VOID, reduction="sum")
        return loss / batch.counted if training.reduction == "mean" else loss

    model.train()
    for done in now_and_then(train_steps(reading.epoch(), loss_of, optimiser, schedule)):
        losses += done
        for loss, indices in zip(losses, reading.batches):
            if not math.isfinite(loss):
                names = ", ".join(reading.dataset.name(index) for index in indices)
                raise CourseError(
                    f"The loss is {loss} on {names}; lower the learning rate ({training.learning_rate}) or look at "
                    "these files."
                )
        total = sum(map(operator.mul, losses, counted)) if training.reduction == "mean" else sum(losses)
        pixels = sum(counted[: len(losses)])
        bar.set_postfix(loss=f"{total / pixels:.3f}", rate=f"{optimiser.param_groups[0]['lr']:.1e}", refresh=False)
        bar.update(len(done))
    return total / pixels
