"""fcn.weights, fcn.pretext and `python -m fcn`."""

import urllib.error

import pytest
import torch
import torchvision
from safetensors.torch import save_file

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
    with pytest.raises(CourseError, match="imagenet, course"):
        weights.classifier_weights("none")


def test_no_network_is_said_in_one_sentence(monkeypatch):
    def unreachable(*arguments, **options):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", unreachable)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", unreachable)
    with pytest.raises(CourseError, match="connect to the network"):
        weights.classifier_weights("imagenet", "vgg16", 1.0)


def test_imagenet_weights_have_their_hash_checked(monkeypatch):
    seen = {}
    monkeypatch.setattr(
        "torchvision.models._api.load_state_dict_from_url", lambda url, **options: seen.update(options) or {}
    )
    weights.classifier_weights("imagenet", "vgg16", 1.0)
    assert seen["check_hash"] is True


def test_damaged_weights_file(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(CourseError, match="not a whole safetensors file"):
        weights.read_classifier(tmp_path / "x.safetensors")
    with pytest.raises(CourseError, match="no weights"):
        weights.read_classifier(tmp_path / "y.safetensors")
    save_file({"a": torch.ones(2, dtype=torch.float16)}, tmp_path / "z.safetensors")
    assert weights.read_classifier(tmp_path / "z.safetensors")["a"].dtype == torch.float32
