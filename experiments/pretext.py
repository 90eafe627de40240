"""Trains the small classifiers that stand in for ImageNet's (`python -m experiments.pretrain vgg16`).

The task is ImageNet's in small: name what a photograph shows, on Tiny ImageNet. No label map is seen, so where a thing
is the trunk has to find out by itself.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import fuse_conv_bn_eval

from core.devices import best_device, on_device
from core.photographs import normalise
from core.progress import Batch
from core.training import in_mode, one_cycle, seed_everything
from fcn import tiny_imagenet
from fcn.backbones import Trunk
from fcn.losses import class_loss
from fcn.tiny_imagenet import FOLDER, SIDE, load_photographs
from fcn.trainer import train_epochs
from fcn.weights import COURSE_WIDTH

TOP = 5  # a photograph is also counted where its class is among so many best
RECIPE = {
    "batch_size": 128,
    "learning_rate": 2e-3,  # the highest of one cycle
    "rising": 0.2,  # share of the steps in which the rate rises
    "weight_decay": 0.05,
    "label_smoothing": 0.1,
    "dropout": 0.0,  # so narrow a network doesn't overfit in a few epochs
    "shift": 6,  # pixels by which a photograph is moved at most, to either side
    "precision": "bfloat16",  # faster than float32 by a sixth (GoogLeNet) to a half (VGG-16) where processors have it
}


class Classifier(nn.Module):
    """A trunk, the mean over its cells, and one linear layer.

    While it is trained, a trunk that knows no batch normalisation gets one behind each convolution: so deep a network
    learns several times faster with it (Ioffe and Szegedy, ICML 2015). In the finished weights it is folded into them.
    """

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        self.trunk = trunk
        self.folded = []  # the names of those convolutions
        if not any(isinstance(layer, nn.BatchNorm2d) for layer in trunk.modules()):
            self.folded = [name for name, layer in trunk.named_modules() if isinstance(layer, nn.Conv2d)]
        for name in self.folded:
            layer = trunk.get_submodule(name)
            trunk.set_submodule(name, nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels)))
        for layer in trunk.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = RECIPE["dropout"]
        self.last = nn.Linear(trunk.channels[-1], tiny_imagenet.CLASSES)

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, 200) logits."""
        return self.last(self.trunk(image)[-1].mean(dim=(2, 3)))

    def torchvision_state(self) -> dict[str, Tensor]:
        """The weights as torchvision lays them out: normalisation folded in, former linear layers flat again."""
        trunk = copy.deepcopy(self.trunk).eval()
        for name in self.folded:
            trunk.set_submodule(name, fuse_conv_bn_eval(*trunk.get_submodule(name)))
        state = {
            key: value.flatten(1) if key.startswith("classifier") and value.ndim == 4 else value
            for key, value in trunk.state_dict().items()
            if key != "transform_input"
        }
        last = "fc" if self.trunk.name == "googlenet" else "classifier.6"
        state |= {f"{last}.weight": self.last.weight.detach(), f"{last}.bias": self.last.bias.detach()}
        return state


def draw_batch(photographs: np.ndarray) -> Tensor:
    """(N, 64, 64, 3) uint8 → (N, 3, 64, 64), normalised, each moved by a few pixels and mirrored by chance."""
    shift = RECIPE["shift"]
    padded = np.pad(photographs, ((0, 0), (shift, shift), (shift, shift), (0, 0)), mode="reflect")
    moved = np.empty_like(photographs)
    places, mirrored = torch.randint(2 * shift + 1, (len(moved), 2)), torch.rand(len(moved)) < 0.5
    for number, (y, x) in enumerate(places.tolist()):
        window = padded[number, y : y + SIDE, x : x + SIDE]
        moved[number] = window[:, ::-1] if mirrored[number] else window
    return normalise(moved)


@dataclass(frozen=True)
class Batches:
    """Full batches of an epoch, in an order drawn anew whenever they are iterated over, on a device."""

    photographs: np.ndarray
    classes: np.ndarray
    size: int
    device: torch.device

    def __len__(self) -> int:
        return len(self.photographs) // self.size

    def __iter__(self) -> Iterator[Batch]:
        return on_device(self._drawn(), self.device)

    def _drawn(self) -> Iterator[Batch]:
        order = torch.randperm(len(self.photographs)).numpy()
        for first in range(0, len(self) * self.size, self.size):
            indices = np.sort(order[first : first + self.size])
            yield draw_batch(self.photographs[indices]), torch.from_numpy(self.classes[indices])


def train(backbone: str, seed: int, epochs: int, folder: Path = FOLDER) -> tuple[Classifier, list[dict]]:
    """Trains on Tiny ImageNet with AdamW, as RECIPE says.

    Args:
        folder: tiny-imagenet-200.

    Returns:
        The classifier, and one dict per epoch, as from `train_epochs`; validation has accuracy and top5_accuracy.

    Raises:
        CourseError: the data set isn't there or isn't whole.
    """
    (photographs, classes), held_out = (load_photographs(split, folder) for split in ("train", "val"))
    seed_everything(seed)
    device = best_device()
    model = Classifier(Trunk(backbone, COURSE_WIDTH, padding="aligned")).to(device, memory_format=torch.channels_last)
    rate, decay, batch_size = (RECIPE[name] for name in ("learning_rate", "weight_decay", "batch_size"))
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay, fused=True)
    batches = Batches(photographs, classes, batch_size, device)
    schedule = one_cycle(optimiser, epochs * len(batches), rising=RECIPE["rising"])

    loss_of = partial(class_loss, label_smoothing=RECIPE["label_smoothing"])

    def score(model: nn.Module) -> dict[str, float]:
        return accuracies(model, *held_out)

    each = train_epochs(model, batches, loss_of, optimiser, score, range(1, epochs + 1), schedule, RECIPE["precision"])
    return model, list(each)


def accuracies(model: Classifier, photographs: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """Shares of photographs whose class is the best, and among the five best."""
    device, batch = next(model.parameters()).device, 200
    hits = torch.zeros(2, dtype=torch.int64)
    with in_mode(model, training=False), torch.inference_mode():
        for first in range(0, len(photographs), batch):
            images = normalise(photographs[first : first + batch]).to(device, memory_format=torch.channels_last)
            best = model(images).topk(TOP).indices.cpu()
            right = best == torch.from_numpy(classes[first : first + batch])[:, None]
            hits += torch.tensor([right[:, 0].sum(), right.sum()])
    accuracy, top5 = (hits.double() / len(photographs)).tolist()
    return {"accuracy": accuracy, "top5_accuracy": top5}
