"""Small data in CMP's format, drawn on the spot."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn


def write_pair(folder: Path, name: str, height: int, width: int, seed: int) -> None:
    """A photograph of noisy rectangles and its label map: class 2 right of a drawn column, class 3 above a row."""
    generator = np.random.default_rng(seed)
    label = np.ones((height, width), dtype=np.uint8)
    label[:, generator.integers(8, width - 8) :] = 2
    label[: generator.integers(8, height - 8)] = 3
    photograph = label[..., None] * 70 + generator.integers(0, 30, (height, width, 3))
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(photograph.astype(np.uint8)).save(folder / f"{name}.jpg", quality=95)
    save_label(folder / f"{name}.png", label)


def save_label(path: Path, label: np.ndarray) -> None:
    """A palette PNG whose indices are the labels, as CMP's are."""
    image = Image.fromarray(label)
    image.putpalette([value for index in range(256) for value in (index, 255 - index, 128)])
    image.save(path)


def same_weights(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))
