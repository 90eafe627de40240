"""Trains the course's small ResNet-18 on generated pictures (`python -m experiments.pretrain resnet18`)."""

from collections.abc import Iterator

import torch
from torch import Tensor

from cam.classifiers import SMALL_WIDTH
from cam.pictures import PATTERNS, make_pictures
from cam.resnet import ResNet18
from core.devices import best_device, on_device
from core.photographs import normalise
from core.progress import Batch, Progress
from core.training import one_cycle, seed_everything
from fcn.losses import class_loss
from fcn.trainer import train_epoch

# At 7 * 32 + 1 pixels the cells 0, 32, ..., 224 lie evenly about the picture's middle. Networks trained at 224, where
# they don't, leaned to the lower right of their cells' centres; files/README.md has the figures.
SIZE = 225
RADIUS = (0.15, 0.27)  # objects 67 to 121 pixels wide: larger ones than those that maps are scored on
TRAINING_SEED = 1000  # the pictures of training run `seed` are drawn from TRAINING_SEED + seed


def train(
    seed: int, pictures: int = 2000, epochs: int = 12, batch_size: int = 32, learning_rate: float = 4e-3
) -> ResNet18:
    """Trains a ResNet-18 of a quarter of the channels to name the pattern; returns it in eval mode.

    AdamW with a one-cycle learning rate. The trunk runs in bfloat16 on channels-last memory, several times faster
    on recent processors; the head stays in float32. Pictures are mirrored at random.
    """
    seed_everything(seed)
    device = best_device()
    data = make_pictures(pictures, TRAINING_SEED + seed, SIZE, RADIUS)
    images, labels = torch.from_numpy(data.images), torch.from_numpy(data.labels)
    model = ResNet18(len(PATTERNS), SMALL_WIDTH).to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), learning_rate, weight_decay=0.05)
    steps = epochs * (pictures // batch_size)

    def batches() -> Iterator[Batch]:
        """The pictures of each step, drawn anew in each epoch and mirrored at random."""
        for _ in range(epochs):
            for batch in torch.randperm(pictures)[: pictures // batch_size * batch_size].split(batch_size):
                chosen = images[batch].numpy()
                for axis in (1, 2):
                    if torch.rand(()) < 0.5:
                        chosen = chosen[:, ::-1] if axis == 1 else chosen[:, :, ::-1]
                yield normalise(chosen), labels[batch]

    def loss_of(outputs: tuple[Tensor, Tensor], targets: Tensor) -> Tensor:
        _, features = outputs
        return class_loss(model.fc(features.float().mean((2, 3))), targets)

    with Progress(optimiser, steps, title=f"seed {seed}") as progress:
        schedule = one_cycle(optimiser, steps)
        train_epoch(model, on_device(batches(), device), loss_of, optimiser, schedule, "bfloat16", progress)
    return model.eval()
