"""Small data in CMP's format, and the real data where a folder is given."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn


def write_pair(folder: Path, name: str, height: int, width: int, seed: int) -> None:
    """A photograph of noisy rectangles and its label map: class 2 right of a drawn column, class 3 above a row."""
    generator = np.random.default_rng(seed)
    label = np.ones((height, width), dtype=np.uint8)
    label[:, generator.integers(8, width - 8):] = 2
    label[:generator.integers(8, height - 8)] = 3
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


@pytest.fixture
def small_facades(tmp_path: Path) -> Path:
    """Six training, two validation and two test pictures of several sizes."""
    root = tmp_path / "facades"
    for number in range(8):
        write_pair(root / "base", f"cmp_b{number + 1:04}", 64 + 3 * number, 96 - 5 * number, number)
    for number in range(2):
        write_pair(root / "extended", f"cmp_x{number + 1:04}", 70, 64, 100 + number)
    (root / "splits.json").write_text(json.dumps({"train": 6, "validation": 2, "test": 2}))
    return root


@pytest.fixture
def real_facades() -> Path:
    """The real CMP Facade Database, in the folder that the environment variable COURSE_DATA names."""
    folder = Path(os.environ.get("COURSE_DATA", "")) / "cmp_facade"
    if "COURSE_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("COURSE_DATA names no folder with cmp_facade/ in it: the real photographs are not tested")
    return folder
