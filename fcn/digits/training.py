"""Training the digit networks and scoring them.

AdamW with a one-cycle learning rate (Smith and Topin, "Super-Convergence", 2018) over batches drawn from a seed. The
last weights are kept; there is no choice among epochs.
"""

import math
from collections.abc import Iterator
from itertools import count, islice

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.devices import best_device, on_device
from core.progress import Progress
from core.training import in_mode, one_cycle
from fcn.digits.data import Digits
from fcn.digits.networks import DigitClassifier, DigitFCN
from fcn.digits.scenes import BACKGROUND, CLASSES, THRESHOLD, Scenes, grids, hard_scenes
from fcn.losses import class_loss
from fcn.metrics import ConfusionMatrix
from fcn.trainer import train_epoch

BATCH = 64  # single digits a step
SCENES = 16  # composed scenes a step
LEARNING_RATE = 1.2e-2

Batches = Iterator[tuple[Tensor, Tensor]]


def digit_batches(digits: Digits, seed: int) -> Batches:
    """Endless (images (N, 1, 28, 28) in 0..1, labels (N,)): each digit once a pass, turned, scaled, moved a little."""
    generator = torch.Generator().manual_seed(seed)
    images, labels = torch.from_numpy(digits.images), torch.from_numpy(digits.labels)
    while True:
        for batch in torch.randperm(len(digits), generator=generator).split(BATCH):
            yield _jitter(images[batch, None].float() / 255, generator), labels[batch]


def single_batches(digits: Digits, seed: int) -> Batches:
    """The same with the label of each pixel (N, 28, 28) in place of the digit's."""
    for images, labels in digit_batches(digits, seed):
        yield images, torch.where(images[:, 0] > THRESHOLD, labels[:, None, None], BACKGROUND)


def scene_batches(digits: Digits, seed: int) -> Batches:
    """Endless (images (N, 1, 56, 84), masks (N, 56, 84)) of scenes drawn anew, a quarter grids and the rest hard.

    Both kinds are in every batch: batches of one kind each would leave batch normalisation with running statistics
    that are true of neither.
    """
    for number in count():
        clean, hard = (
            draw(digits, share, np.random.SeedSequence((seed, number)))
            for draw, share in ((grids, SCENES // 4), (hard_scenes, SCENES - SCENES // 4))
        )
        images, masks = (np.concatenate(pair) for pair in ((clean.images, hard.images), (clean.masks, hard.masks)))
        yield torch.from_numpy(images)[:, None], torch.from_numpy(masks).long()


def grid_batches(digits: Digits, seed: int) -> Batches:
    """The same with clean grids alone."""
    for number in count():
        scenes = grids(digits, SCENES, np.random.SeedSequence((seed, number)))
        yield torch.from_numpy(scenes.images)[:, None], torch.from_numpy(scenes.masks).long()


def fit(model: nn.Module, batches: Batches, steps: int, title: str) -> list[float]:
    """Trains in place on so many batches, leaves the model in eval mode.

    In bfloat16 where the hardware multiplies it, otherwise in float32.

    Returns:
        The mean cross-entropy over each tenth of the steps.

    Raises:
        CourseError: the loss is not finite.
    """
    device = best_device()
    model.to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=0.01, fused=True)
    schedule = one_cycle(optimiser, steps)
    with Progress(optimiser, steps, title=title) as progress:
        train_epoch(model, on_device(islice(batches, steps), device), class_loss, optimiser, schedule, "auto", progress)
    model.eval()
    return [float(np.mean(part)) for part in np.array_split(progress.losses, min(10, len(progress.losses)))]


def classify(model: DigitClassifier, images: np.ndarray) -> np.ndarray:
    """The most likely digit of each image: (N, 28, 28) in 0..1, float → (N,) int64. Eval mode."""
    return _predict(model, images)


def segment(model: DigitFCN, images: np.ndarray) -> np.ndarray:
    """The most likely class of each pixel: (N, H, W) in 0..1, float → (N, H, W) int64. Eval mode."""
    return _predict(model, images)


def _predict(model: nn.Module, images: np.ndarray) -> np.ndarray:
    device = next(model.parameters()).device
    with in_mode(model, training=False), torch.inference_mode():
        parts = [
            model(part[:, None].to(device, torch.float32)).argmax(dim=1).cpu()
            for part in torch.from_numpy(images).split(200)
        ]
    return torch.cat(parts).numpy() if parts else np.zeros(images.shape[:1], np.int64)


def accuracy(model: DigitClassifier, digits: Digits) -> float:
    """Share of the digits named rightly, 0..1."""
    return float((classify(model, digits.images.astype(np.float32) / 255) == digits.labels).mean())


def score(predicted: np.ndarray, scenes: Scenes) -> dict[str, object]:
    """One confusion matrix over all pixels of all scenes, and its figures (0..1).

    Returns:
        Those of `ConfusionMatrix.figures()`; digit_mean_iou, the mean over the ten digits without background; and
        ink_iou, that of all digits taken as one class.
    """
    matrix = ConfusionMatrix(len(CLASSES))
    matrix.update(torch.from_numpy(predicted), torch.from_numpy(scenes.masks).long())
    counts = matrix.counts
    ink = counts[:BACKGROUND, :BACKGROUND].sum() / (counts.sum() - counts[BACKGROUND, BACKGROUND])
    return {
        **matrix.figures(),
        "digit_mean_iou": float(np.nanmean(matrix.iou_per_class()[:BACKGROUND])),
        "ink_iou": ink.item(),
    }


def _jitter(images: Tensor, generator: torch.Generator) -> Tensor:
    """Turned by up to 10°, scaled by up to a tenth, moved by up to 2 pixels; what comes in from outside is black."""
    number = len(images)
    angle, scale, right, down = (
        torch.empty(number).uniform_(-reach, reach, generator=generator)
        for reach in (math.radians(10), 0.1, 2 / 14, 2 / 14)
    )
    cosine, sine = angle.cos() * (1 + scale), angle.sin() * (1 + scale)
    maps = torch.stack([cosine, -sine, right, sine, cosine, down], dim=1).view(number, 2, 3)
    places = F.affine_grid(maps, list(images.shape), align_corners=False)
    return F.grid_sample(images, places, align_corners=False)
