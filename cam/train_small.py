"""Trains the course's small ResNet-18 on generated pictures (`course pretrain resnet18`)."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from cam.classifiers import SMALL_WIDTH
from cam.pictures import PATTERNS, make_pictures
from cam.resnet import ResNet18
from core.devices import best_device
from core.photographs import normalise
from core.training import now_and_then, one_cycle, seed_everything, train_steps

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
    schedule = one_cycle(optimiser, steps)

    def batches() -> Iterator[Tensor]:
        """The numbers of the pictures of each step, drawn anew in each epoch."""
        for _ in range(epochs):
            yield from torch.randperm(pictures)[: pictures // batch_size * batch_size].split(batch_size)

    def loss_of(batch: Tensor) -> Tensor:
        chosen = images[batch].numpy()
        for axis in (1, 2):
            if torch.rand(()) < 0.5:
                chosen = chosen[:, ::-1] if axis == 1 else chosen[:, :, ::-1]
        x = normalise(chosen).to(device, memory_format=torch.channels_last, non_blocking=True)
        targets = labels[batch].to(device, non_blocking=True)
        with torch.autocast(device.type, torch.bfloat16):
            _, features = model(x)
        return nn.functional.cross_entropy(model.fc(features.float().mean((2, 3))), targets)

    with tqdm(total=steps, desc=f"seed {seed}") as bar:
        for losses in now_and_then(train_steps(batches(), loss_of, optimiser, schedule)):
            bar.update(len(losses))
            bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
    return model.eval()
