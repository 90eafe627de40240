"""Trains the small classifiers that stand in for ImageNet's (`course pretrain vgg16`, alexnet, googlenet).

The task is ImageNet's in small: one picture shows one thing; name it. A picture is a part of a drawn facade (a window,
a door, a stretch of wall, …), cut out with some of its surroundings and brought to one size; the facades' seeds are
none that the course's own data use. No label map is seen, so where a thing is the trunk has to find out by itself.
"""

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm.auto import tqdm

from core.devices import best_device
from core.photographs import normalise
from core.training import one_cycle, seed_everything, train_steps
from fcn.backbones import Trunk
from fcn.dataset import CLASSES
from fcn.facades.drawing import draw_facade
from fcn.weights import COURSE_WIDTH

FIRST_SEED = 1_000_000  # apart from the seeds of the built-in data set
SIDE = 64  # pixels of a picture
SMALLEST_AREA = 40  # pixels, at full size, from which on a part is worth a picture


def cut_parts(facades: int, first_seed: int) -> list[list[np.ndarray]]:
    """Pictures of single parts, by class: uint8 (SIDE + 16, SIDE + 16, 3), with a margin for random crops."""
    parts: list[list[np.ndarray]] = [[] for _ in CLASSES]
    for seed in tqdm(range(first_seed, first_seed + facades), desc="drawing"):
        photograph, label = draw_facade(seed)
        generator = np.random.default_rng(seed)
        for index, pictures in enumerate(parts):
            count, _, boxes, _ = cv2.connectedComponentsWithStats(np.uint8(label == index + 1), connectivity=4)
            large = [box for box in boxes[1:count] if box[4] >= SMALLEST_AREA]
            if large:
                pictures.append(_cut_out(photograph, large[generator.integers(len(large))]))
    return parts


def _cut_out(photograph: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The square around a part's box and half its longer side of surroundings, at least 40 pixels wide."""
    x, y, width, height, _ = box
    half = min(max(int(0.75 * max(width, height)), 20), min(photograph.shape[:2]) // 2)
    centre_y, centre_x = (
        int(np.clip(middle, half, side - half))
        for middle, side in zip((y + height // 2, x + width // 2), photograph.shape)
    )
    square = photograph[centre_y - half : centre_y + half, centre_x - half : centre_x + half]
    return cv2.resize(square, (SIDE + 16, SIDE + 16), interpolation=cv2.INTER_AREA)


def draw_batch(parts: list[list[np.ndarray]], size: int, generator: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Random crops and flips (N, 3, SIDE, SIDE), normalised, and their classes (N,); each class equally often."""
    classes = generator.integers(len(parts), size=size)
    pictures = []
    for index in classes:
        picture = parts[index][generator.integers(len(parts[index]))]
        y, x = generator.integers(17, size=2)
        picture = picture[y : y + SIDE, x : x + SIDE]
        pictures.append(normalise(picture[:, ::-1] if generator.random() < 0.5 else picture))
    return torch.stack(pictures), torch.from_numpy(classes)


class Classifier(nn.Module):
    """A trunk, the mean over its cells, and one linear layer."""

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        self.trunk = trunk
        self.last = nn.Linear(trunk.channels[-1], len(CLASSES))

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, 12) logits."""
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


def train(
    backbone: str, seed: int, facades: int = 1500, steps: int = 2000, batch_size: int = 64
) -> tuple[Classifier, float]:
    """Trains on drawn facades; returns the classifier and its accuracy on parts of facades held out."""
    seed_everything(seed)
    device, generator = best_device(), np.random.default_rng(seed)
    model = Classifier(Trunk(backbone, COURSE_WIDTH, padding="aligned")).to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-3, fused=True)
    schedule = one_cycle(optimiser, steps, rising=0.1)
    parts = cut_parts(facades, FIRST_SEED)

    def loss_of(batch: tuple[Tensor, Tensor]) -> Tensor:
        pictures, classes = (tensor.to(device) for tensor in batch)
        return functional.cross_entropy(model(pictures), classes)

    with tqdm(range(steps), desc="training") as bar:
        batches = (draw_batch(parts, batch_size, generator) for _ in bar)
        for loss in train_steps(batches, loss_of, optimiser, schedule):
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    pictures, classes = draw_batch(cut_parts(200, FIRST_SEED + facades), 1200, generator)
    model.eval()
    with torch.inference_mode():
        predicted = torch.cat([model(part.to(device)).argmax(dim=1).cpu() for part in pictures.split(100)])
    return model, (predicted == classes).double().mean().item()
