"""Naming photographs, on a miniature of Tiny ImageNet."""

import numpy as np
import pytest
import torch
import torchvision
from sklearn.metrics import top_k_accuracy_score
from tiny_imagenet_samples import write_tiny_imagenet
from torch import nn
from torchvision.transforms import functional

from core.photographs import denormalise
from experiments import pretext
from experiments.pretext import RECIPE, Classifier, accuracies, draw_batch
from fcn.backbones import Trunk

SHIFT = RECIPE["shift"]


def test_a_drawn_photograph_is_moved_and_mirrored_as_torchvision_would():
    """Each pixel of this photograph tells its row and column, so the middle of a drawn one tells where it was cut."""
    rows, columns = np.mgrid[:64, :64].astype(np.uint8)
    photograph = np.stack([rows, columns, rows ^ columns], axis=-1)
    padded = functional.pad(torch.from_numpy(photograph).movedim(-1, 0), [SHIFT] * 4, padding_mode="reflect")
    torch.manual_seed(0)
    places, mirrored = set(), 0
    for image in draw_batch(np.stack([photograph] * 400)):
        drawn = np.rint(255 * denormalise(image)).astype(np.uint8)
        flipped = drawn[32, 33, 1] < drawn[32, 32, 1]
        y, x = int(drawn[32, 32, 0]) - 32, int(drawn[32, 31 if flipped else 32, 1]) - 32
        expected = functional.crop(padded, y + SHIFT, x + SHIFT, 64, 64)
        assert np.array_equal(drawn, (functional.hflip(expected) if flipped else expected).movedim(0, -1))
        places |= {("down", y), ("right", x)}
        mirrored += bool(flipped)
    steps = range(-SHIFT, SHIFT + 1)
    assert places == {(way, step) for way in ("down", "right") for step in steps}
    assert 160 < mirrored < 240  # four standard deviations around the half


def test_a_batch_is_normalised_and_what_it_was_drawn_from_stays():
    photographs = np.full((3, 64, 64, 3), (10, 120, 250), np.uint8)
    images = draw_batch(photographs)
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]  # ImageNet's
    trusted = functional.normalize(functional.to_tensor(photographs[0]), mean, deviation)
    assert torch.allclose(images, trusted.expand(3, 3, 64, 64)) and (photographs == (10, 120, 250)).all()


def test_accuracies_are_scikit_learns():
    """450 photographs, so that the last batch isn't full."""

    class Projection(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(3 * 64, 7)

        def forward(self, image):
            return self.last(image.mean(dim=3).flatten(1))

    generator = np.random.default_rng(0)
    photographs = generator.integers(0, 256, (450, 64, 64, 3), dtype=np.uint8)
    classes = generator.integers(0, 7, 450)
    torch.manual_seed(0)
    model = Projection()
    with torch.inference_mode():
        logits = model(pretext.normalise(photographs)).numpy()
    top1, top5 = (top_k_accuracy_score(classes, logits, k=k, labels=range(7)) for k in (1, 5))
    assert accuracies(model, photographs, classes) == pytest.approx({"accuracy": top1, "top5_accuracy": top5})


def test_a_miniature_training_learns_what_is_easily_told_apart(tmp_path, monkeypatch):
    """Six classes, six brightnesses; the same seed gives the same training."""
    folder = write_tiny_imagenet(tmp_path / "tiny-imagenet-200", monkeypatch)
    monkeypatch.setitem(RECIPE, "batch_size", 15)
    model, history = pretext.train("alexnet", 0, 8, folder)
    assert [epoch["epoch"] for epoch in history] == list(range(1, 9))
    assert history[-1]["train_loss"] < 0.6 * history[0]["train_loss"]
    assert history[-1]["validation"]["accuracy"] > 0.8  # guessing: 0.17; other seeds had 1
    assert history[-1]["validation"] == accuracies(model, *pretext.load_photographs("val", folder))
    _, first = pretext.train("alexnet", 0, 1, folder)
    _, again = pretext.train("alexnet", 0, 1, folder)
    _, other = pretext.train("alexnet", 1, 1, folder)
    assert first[0]["train_loss"] == again[0]["train_loss"] != other[0]["train_loss"]


@pytest.mark.parametrize("backbone", ["alexnet", "vgg16", "googlenet"])
def test_a_classifier_is_laid_out_as_torchvisions(backbone):
    """The names are its own, and linear weights have two dimensions; normalisation of VGG-16 and AlexNet is gone."""
    model = Classifier(Trunk(backbone, 0.125, padding="aligned")).eval()
    assert any(isinstance(layer, nn.BatchNorm2d) for layer in model.modules())
    options = {"aux_logits": False, "init_weights": False} if backbone == "googlenet" else {}
    with torch.device("meta"):
        trusted = torchvision.models.get_model(backbone, **options).state_dict()
    state = model.torchvision_state()
    assert {name: value.ndim for name, value in state.items()} == {name: value.ndim for name, value in trusted.items()}
    with torch.inference_mode():
        assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 200)
