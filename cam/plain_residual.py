"""A plain and a residual network for 32 × 32 pictures that differ in nothing but their shortcuts.

The widths and stages are those of the CIFAR networks of He et al., "Deep Residual Learning for Image Recognition",
CVPR 2016, section 4.2; shortcuts that change the size are 1 × 1 convolutions (their option B).
"""

import numpy as np
import torch
from torch import Tensor, nn

from cam.pictures import PATTERNS, Pictures
from core.photographs import normalise

SIZE = 32  # pixels
RADIUS = (0.22, 0.36)  # of the side: objects 14 to 23 pixels wide, so that a pattern still shows


class Block(nn.Module):
    """Two 3 × 3 convolutions; a residual block adds its input to their output."""

    def __init__(self, channels_in: int, channels: int, stride: int, residual: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = None
        if residual:
            changes = stride != 1 or channels_in != channels
            self.shortcut = nn.Conv2d(channels_in, channels, 1, stride, bias=False) if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y if self.shortcut is None else y + self.shortcut(x)).relu()


class SmallNetwork(nn.Module):
    """A stem, three stages of 16, 32 and 64 channels, global average pooling and a linear head.

    Args:
        residual: whether the blocks have shortcuts.
        blocks: blocks per stage.
    """

    def __init__(self, residual: bool, blocks: int = 2, num_classes: int = len(PATTERNS)) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.stage1 = _stage(16, 16, 1, blocks, residual)
        self.stage2 = _stage(16, 32, 2, blocks, residual)
        self.stage3 = _stage(32, 64, 2, blocks, residual)
        self.fc = nn.Linear(64, num_classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, H, W) normalised pictures to logits (N, num_classes) and features (N, 64, H/4, W/4)."""
        features = self.stage3(self.stage2(self.stage1(self.stem(x))))
        return self.fc(features.mean((2, 3))), features


def _stage(channels_in: int, channels: int, stride: int, blocks: int, residual: bool) -> nn.Sequential:
    rest = [Block(channels, channels, 1, residual) for _ in range(blocks - 1)]
    return nn.Sequential(Block(channels_in, channels, stride, residual), *rest)


def fit(
    model: nn.Module, pictures: Pictures, seed: int, epochs: int, batch_size: int = 50, learning_rate: float = 5e-3
) -> list[float]:
    """Trains a classifier in place with AdamW and a one-cycle learning rate; leaves it in eval mode.

    Args:
        seed: of the order of the pictures.

    Returns:
        The mean training loss of each epoch.
    """
    generator = torch.Generator().manual_seed(seed)
    x, labels = normalise(pictures.images), torch.from_numpy(pictures.labels)
    optimizer = torch.optim.AdamW(model.parameters(), learning_rate, weight_decay=0.01)
    steps = epochs * -(-len(pictures) // batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps)
    history = []
    model.train()
    for _ in range(epochs):
        losses = []
        for batch in torch.randperm(len(pictures), generator=generator).split(batch_size):
            loss = nn.functional.cross_entropy(model(x[batch])[0], labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        history.append(float(np.mean(losses)))
    model.eval()
    return history
