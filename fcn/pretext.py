"""Trains the small classifiers that stand in for ImageNet's (`course pretrain vgg16`, alexnet, googlenet).

The task is ImageNet's in small: name what a photograph shows, on Tiny ImageNet. No label map is seen, so where a thing
is the trunk has to find out by itself.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm.auto import tqdm

from core.devices import best_device
from core.photographs import normalise
from core.training import one_cycle, seed_everything, train_steps
from fcn.backbones import Trunk
from fcn.tiny_imagenet import CLASSES, FOLDER, SIDE, load_photographs
from fcn.weights import COURSE_WIDTH

SHIFT = 6  # pixels by which a photograph is moved at most, to either side
TOP = 5  # a photograph is also counted where its class is among so many best


class Classifier(nn.Module):
    """A trunk, the mean over its cells, and one linear layer."""

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        self.trunk = trunk
        self.last = nn.Linear(trunk.channels[-1], CLASSES)

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, 200) logits."""
        return self.last(self.trunk(image)[-1].mean(dim=(2, 3)))

    def torchvision_state(self) -> dict[str, Tensor]:
        """The weights as torchvision lays them out: former linear layers flat again."""
        state = {
            key: value.flatten(1) if key.startswith("classifier") and value.ndim == 4 else value
            for key, value in self.trunk.state_dict().items()
        }
        last = "fc" if self.trunk.name == "googlenet" else "classifier.6"
        state |= {f"{last}.weight": self.last.weight.detach(), f"{last}.bias": self.last.bias.detach()}
        return state


def draw_batch(photographs: np.ndarray, indices: np.ndarray) -> Tensor:
    """Photographs (N, 3, 64, 64), normalised, each moved by a few pixels and mirrored by chance."""
    padded = np.pad(photographs[np.sort(indices)], ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="reflect")
    moved = np.empty((len(indices), SIDE, SIDE, 3), np.uint8)
    for number, (y, x, mirrored) in enumerate(torch.randint(2 * SHIFT + 1, (len(indices), 3)).tolist()):
        window = padded[number, y : y + SIDE, x : x + SIDE]
        moved[number] = window[:, ::-1] if mirrored % 2 else window
    return normalise(moved)


def train(
    backbone: str, seed: int, epochs: int, folder: Path = FOLDER, batch_size: int = 128, learning_rate: float = 2e-3
) -> tuple[Classifier, list[dict]]:
    """Trains on Tiny ImageNet: AdamW, one cycle of the rate, labels smoothed by a tenth.

    Returns:
        The classifier, and one dict per epoch: epoch, train_loss, and validation with accuracy and top5_accuracy.

    Raises:
        CourseError: the data set isn't there or isn't whole.
    """
    (photographs, classes), held_out = (load_photographs(split, folder) for split in ("train", "val"))
    seed_everything(seed)
    device = best_device()
    model = Classifier(Trunk(backbone, COURSE_WIDTH, padding="aligned")).to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.05, fused=True)
    steps = len(photographs) // batch_size
    schedule = one_cycle(optimiser, epochs * steps, rising=0.2)

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(photographs)).numpy()
        for first in range(0, steps * batch_size, batch_size):
            indices = np.sort(order[first : first + batch_size])
            yield draw_batch(photographs, indices), torch.from_numpy(classes[indices])

    def loss_of(batch: tuple[Tensor, Tensor]) -> Tensor:
        images, targets = batch
        logits = model(images.to(device, memory_format=torch.channels_last))
        return functional.cross_entropy(logits, targets.to(device), label_smoothing=0.1)

    history = []
    with tqdm(total=epochs * steps, unit="step") as bar:
        while len(history) < epochs:
            model.train()
            total = 0.0
            for loss in train_steps(batches(), loss_of, optimiser, schedule):
                total += loss.item()
                bar.update()
            history.append(
                {"epoch": len(history) + 1, "train_loss": total / steps, "validation": accuracies(model, *held_out)}
            )
            bar.set_postfix(loss=f"{total / steps:.3f}", accuracy=f"{history[-1]['validation']['accuracy']:.3f}")
    return model, history


def accuracies(model: Classifier, photographs: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """Shares of photographs whose class is the best, and among the five best."""
    device, batch = next(model.parameters()).device, 200
    model.eval()
    hits = torch.zeros(2, dtype=torch.int64)
    for first in range(0, len(photographs), batch):
        with torch.inference_mode():
            images = normalise(photographs[first : first + batch]).to(device, memory_format=torch.channels_last)
            best = model(images).topk(TOP).indices.cpu()
        right = best == torch.from_numpy(classes[first : first + batch])[:, None]
        hits += torch.tensor([right[:, 0].sum(), right.sum()])
    accuracy, top5 = (hits / len(photographs)).tolist()
    return {"accuracy": accuracy, "top5_accuracy": top5}
