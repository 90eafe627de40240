"""Training, evaluation and resuming, the same for every network of the course."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from core.checkpoint import load_weights, state_sha256
from core.devices import autocast, best_device
from core.errors import CourseError
from core.training import check_seed, train_steps
from core.training_state import ANEW, BEST, CHECKPOINT, TrainingState, alone_in
from fcn.dataset import VOID, LabelledPhotographs, collate
from fcn.metrics import ConfusionMatrix


@dataclass(frozen=True)
class Training:
    """How to train. The defaults are the assignment's: Adam, mean cross-entropy, less on a plateau.

    Attributes:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate, weight_decay: Adam's, the second as an L2 penalty.
        optimiser: "adam", or "sgd" with momentum 0.9.
        reduction: "mean" or "sum" of the cross-entropy over the pixels; a learning rate belongs to its reduction.
        double_biases: biases learn twice as fast and don't decay (FCN paper, section 4.3).
        plateau: epochs without a better validation mean IoU before the learning rate is halved; None keeps it.
        precision: "float32", "bfloat16" (autocast), or "auto": bfloat16 where the hardware multiplies it.
        workers: processes that read images.
        seed: of the order of images and of dropout.
    """

    epochs: int = 20
    batch_size: int = 4
    learning_rate: float = 1e-4
    weight_decay: float = 2e-5
    optimiser: str = "adam"
    reduction: str = "mean"
    double_biases: bool = False
    plateau: int | None = 3
    precision: str = "auto"
    workers: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        choices = {
            "optimiser": ("adam", "sgd"),
            "reduction": ("mean", "sum"),
            "precision": ("auto", "float32", "bfloat16"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise CourseError(f'{name} is "{getattr(self, name)}"; choose one of {", ".join(allowed)}.')
        check_seed(self.seed)
        for name in ("epochs", "batch_size", "learning_rate"):
            if not getattr(self, name) > 0:
                raise CourseError(f"{name} is {getattr(self, name)}; give a number above 0.")


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
        One dict per epoch: epoch (from 1), train_loss (mean per pixel), learning_rate, seconds, and validation, the
        scores of its confusion matrix.

    Raises:
        CourseError: a split is empty, the loss is not finite, another training writes to the folder, or the
            checkpoint is damaged, of another origin, or longer than `epochs`.
    """
    for dataset in (train, validation):
        if len(dataset) == 0:
            raise CourseError(f"The {dataset.split} split of {dataset.root} is empty; give it at least one photograph.")
    device, folder = best_device(), Path(folder)
    if hasattr(model, "configuration"):
        model.configuration["classes"] = list(train.classes)
    # What must be the same for a resumed run to be the same run; how many epochs there are may change.
    configuration = {
        **asdict(training),
        "network": str(model),
        "start": start or state_sha256(model.state_dict()),
        "train": train.sha256(),
        "validation": validation.sha256(),
        "scale": train.scale,
    }
    del configuration["epochs"], configuration["workers"]
    # Convolutions are fastest with the channels of a pixel side by side, in bfloat16 by far.
    model.to(device, memory_format=torch.channels_last)
    optimiser = _optimiser(model, training)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, mode="max", factor=0.5, patience=math.inf if training.plateau is None else training.plateau
    )
    state = TrainingState(folder, model, optimiser, schedule, configuration)
    reading = _Reading(train, training, device)
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
        with tqdm(total=training.epochs, initial=len(state.history), unit="epoch") as bar:
            while len(state.history) < training.epochs:
                started, learning_rate = time.perf_counter(), optimiser.param_groups[0]["lr"]
                loss = _train_epoch(model, reading, training, optimiser, bar)
                matrix = evaluate(model, validation, training.precision, workers=training.workers)
                schedule.step(matrix.mean_iou())
                state.history.append(
                    {
                        "epoch": len(state.history) + 1,
                        "train_loss": loss,
                        "learning_rate": learning_rate,
                        "validation": matrix.figures(),
                        "seconds": round(time.perf_counter() - started, 2),
                    }
                )
                state.save(is_best=best_epoch(state.history) == len(state.history))
                bar.update()
                bar.set_postfix(loss=f"{loss:.3f}", mean_iou=f"{matrix.mean_iou():.3f}")
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
    device = next(model.parameters()).device
    matrix = None
    for image, label in DataLoader(dataset, num_workers=workers):
        with torch.inference_mode(), autocast(device, precision):
            model.eval()
            logits = model(image.to(device))
        label = label.to(device)
        matrix = matrix or ConfusionMatrix(logits.shape[1])
        matrix.update(logits.argmax(dim=1), label if count is None else label.masked_fill(~count(label), VOID))
    if matrix is None:
        raise CourseError(f"The {dataset.split} split of {dataset.root} is empty; there is nothing to score.")
    return matrix


class _Reading:
    """Reads a data set's batches; its processes, and the images they keep, live as long as a training does."""

    def __init__(self, dataset: LabelledPhotographs, training: Training, device: torch.device) -> None:
        self.batches: list[list[int]] = []
        self.device = device
        self.loader = DataLoader(
            dataset,
            batch_sampler=self,
            collate_fn=collate,
            num_workers=training.workers,
            persistent_workers=training.workers > 0,
            pin_memory=device.type == "cuda",
        )

    def __iter__(self) -> Iterator[list[int]]:
        """The images of each batch, for the loader."""
        return iter(self.batches)

    def read(self, batches: list[list[int]]) -> Iterator[tuple[list[int], tuple[Tensor, Tensor]]]:
        """Each batch's indices and its images and labels, on the device."""
        self.batches = batches
        for indices, (image, label) in zip(batches, self.loader):
            image = image.to(self.device, memory_format=torch.channels_last, non_blocking=True)
            yield indices, (image, label.to(self.device, non_blocking=True))


def _train_epoch(
    model: nn.Module,
    reading: _Reading,
    training: Training,
    optimiser: torch.optim.Optimizer,
    bar: tqdm,
) -> float:
    """One pass over the images in a drawn order; returns the mean loss per pixel."""
    dataset = reading.loader.dataset
    batches = draw_batches([dataset.size(index) for index in range(len(dataset))], training.batch_size)
    total, pixels = 0.0, 0

    def loss_of(batch: tuple[list[int], tuple[Tensor, Tensor]]) -> Tensor:
        nonlocal total, pixels
        indices, (image, label) = batch
        with autocast(reading.device, training.precision):
            logits = model(image)
        counted = max((label != VOID).sum().item(), 1)  # where all is void there is nothing to learn, and no mean
        loss = functional.cross_entropy(logits, label, ignore_index=VOID, reduction="sum")
        if not math.isfinite(loss.item()):
            names = ", ".join(dataset.name(index) for index in indices)
            raise CourseError(
                f"The loss is {loss.item()} on {names}; lower the learning rate "
                f"({training.learning_rate}) or look at these files."
            )
        total, pixels = total + loss.item(), pixels + counted
        return loss / counted if training.reduction == "mean" else loss

    model.train()
    for _ in train_steps(reading.read(batches), loss_of, optimiser):
        bar.set_postfix(loss=f"{total / pixels:.3f}", refresh=False)
    return total / pixels


def draw_batches(sizes: list[tuple[int, int]], batch_size: int) -> list[list[int]]:
    """Indices of images in a drawn order, batches of like shapes, so that less of a batch is padding.

    Images are drawn in groups of eight batches, sorted within a group by shape, and the batches are drawn again.

    Args:
        sizes: width and height of each image.
    """
    order = torch.randperm(len(sizes)).tolist()
    group = 8 * batch_size
    batches = []
    for first in range(0, len(order), group):
        alike = sorted(
            order[first : first + group], key=lambda index: (sizes[index][0] / sizes[index][1], sizes[index])
        )
        batches += [alike[start : start + batch_size] for start in range(0, len(alike), batch_size)]
    return [batches[index] for index in torch.randperm(len(batches)).tolist()]


def _optimiser(model: nn.Module, training: Training) -> torch.optim.Optimizer:
    parameters = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    rate, decay = training.learning_rate, training.weight_decay
    groups = [{"params": [p for _, p in parameters], "lr": rate, "weight_decay": decay}]
    if training.double_biases:
        biases = [p for name, p in parameters if name.endswith("bias")]
        others = [p for name, p in parameters if not name.endswith("bias")]
        groups = [
            {"params": others, "lr": rate, "weight_decay": decay},
            {"params": biases, "lr": 2 * rate, "weight_decay": 0.0},
        ]
    if training.optimiser == "sgd":
        return torch.optim.SGD(groups, momentum=0.9, fused=True)
    return torch.optim.Adam(groups, fused=True)
