"""Where trunks' weights come from."""

import pytest
import torch
import torchvision

from core.errors import CourseError
from core.files import ROOT
from fcn import weights
from fcn.backbones import Trunk
from fcn.facades.pretext import Classifier
from fcn.models import FCN32s


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
    monkeypatch.setattr(weights, "fetch_state", lambda which: asked.append(which) or {"a": torch.ones(1)})
    assert weights.classifier_weights("imagenet", "googlenet", 1.0).keys() == {"a"}
    assert asked == [torchvision.models.GoogLeNet_Weights.IMAGENET1K_V1]
