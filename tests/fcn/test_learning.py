"""Small trainings on tiles of four colours: a right trainer gets above the limit, each broken one stays below it.

docs/margins.md says how far from the limit each of them ends, over seeds, instruction sets and threads.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from samples import save_label

from core.photographs import read_palette
from core.training import seed_everything
from fcn.dataset import CLASSES, CMPFacade
from fcn.evaluation import predict
from fcn.models import FCN8s
from fcn.recipes import Training, recipe
from fcn.trainer import fit
from fcn.weights import start_from

LIMIT = 0.7  # share of the test pixels that are named rightly
SIDE, TILE = 96, 24  # pixels
COLOURS = np.array([(200, 60, 50), (60, 170, 80), (60, 80, 200), (220, 200, 60)])
SPLITS = {"train": 8, "validation": 2, "test": 3}


@pytest.fixture(scope="module")
def tiles(tmp_path_factory) -> Path:
    """Images of tiles; the colour says the class, 1 to 4 in the files, and each image begins elsewhere in a tile."""
    root = tmp_path_factory.mktemp("tiles")
    (root / "base").mkdir()
    (root / "extended").mkdir()
    for number in range(sum(SPLITS.values())):
        generator = np.random.default_rng(number)
        top, left = generator.integers(0, TILE, 2)
        label = generator.integers(1, 5, (6, 6)).repeat(TILE, 0).repeat(TILE, 1)
        label = label[top : top + SIDE, left : left + SIDE].astype(np.uint8)
        image = COLOURS[label - 1] + generator.normal(0, 25, (SIDE, SIDE, 3))
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(root / "base" / f"{number:02}.jpg", quality=95)
        save_label(root / "base" / f"{number:02}.png", label)
    (root / "splits.json").write_text(json.dumps(SPLITS))
    return root


class ShiftedCrop(FCN8s):
    """Crops 16 pixels off: two of the cells that FCN-8s upsamples last."""

    def forward(self, image):
        return super().forward(image).roll((16, 16), (2, 3))


def settings(seed: int = 0) -> Training:
    return replace(recipe("course", "vgg16", 0.125, epochs=14, precision="float32", seed=seed).first, batch_size=2)


def accuracy(tiles: Path, folder: Path, settings: Training, network: type[FCN8s] = FCN8s) -> float:
    """Trains, and scores the predictions against the label maps as their files hold them."""
    train, validation, test = (CMPFacade(tiles, split, scale=1.0) for split in ("train", "val", "test"))
    seed_everything(settings.seed)
    model = start_from(network(len(CLASSES), width=0.125, padding="aligned"), "course")
    fit(model, train, validation, settings, folder)
    predicted = [predict(model, image[None])[0].cpu() for image, _ in test]
    right = [(found + 1 == torch.from_numpy(read_palette(path))) for found, (_, path) in zip(predicted, test.pairs)]
    return torch.stack(right).float().mean().item()


def test_the_trainer_learns(tiles, tmp_path):
    assert accuracy(tiles, tmp_path, settings()) > LIMIT


def test_one_that_learns_ten_times_too_slowly_is_caught(tiles, tmp_path):
    slow = replace(settings(), learning_rate=settings().learning_rate / 10)
    assert accuracy(tiles, tmp_path, slow) < LIMIT


def test_one_that_crops_wrongly_is_caught(tiles, tmp_path):
    assert accuracy(tiles, tmp_path, settings(), ShiftedCrop) < LIMIT


def test_one_whose_labels_are_off_by_one_is_caught(tiles, tmp_path, monkeypatch):
    right = CMPFacade.read_label
    monkeypatch.setattr(CMPFacade, "read_label", lambda self, path: (right(self, path) + 1) % len(CLASSES))
    assert accuracy(tiles, tmp_path, settings()) < LIMIT
