"""Where trunks' weights come from."""

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
from core.record import read_record
from experiments.pretext import Classifier, accuracies
from fcn import classifiers, weights
from fcn.backbones import BACKBONES, Trunk
from fcn.models import FCN32s
from fcn.tiny_imagenet import load_photographs

SMALL = [name for name, backbone in BACKBONES.items() if backbone.course_weights]


@pytest.mark.parametrize("backbone", SMALL)
def test_course_weights_fit(backbone):
    assert checkpoint.read_configuration(weights.course_file(backbone))["trained_on"] == "Tiny ImageNet"
    model = weights.start_from(FCN32s(width=0.125, padding="aligned", backbone=backbone), "course")
    state = weights.classifier_weights("course", backbone, 0.125)
    own = dict(model.trunk.named_parameters())
    assert all(torch.equal(own[key].flatten(), state[key].flatten()) for key in own)
    assert model.score_fr.weight.abs().max() == 0


def test_course_weights_are_small():
    assert sum(weights.course_file(backbone).stat().st_size for backbone in SMALL) <= 12_000_000


@pytest.mark.parametrize("backbone", SMALL)
def test_course_weights_name_photographs_as_recorded(backbone, real_tiny_imagenet):
    """In half precision; the record's accuracy was measured before."""
    state = weights.classifier_weights("course", backbone, 0.125)
    model = Classifier(Trunk(backbone, 0.125, padding="aligned"))
    model.trunk = Trunk(backbone, 0.125, padding="aligned")  # without the normalisation of the training
    model.trunk.load_classifier(state)
    last = [key for key in state if key.startswith(("fc.", "classifier.6."))]
    model.last.load_state_dict({key.rsplit(".", 1)[-1]: state[key] for key in last})
    photographs, classes = load_photographs("val", real_tiny_imagenet)
    record = read_record(ROOT / "files" / "results" / "pretraining" / f"{backbone}.json")
    expected = record["validation"]["accuracy"]
    assert abs(accuracies(model, photographs[::5], classes[::5])["accuracy"] - expected) < 0.03  # 2,000 of the 10,000


@pytest.mark.parametrize("backbone", SMALL)
def test_normalisation_is_folded_into_the_weights(backbone):
    """The trunk that takes them gives the same features without it; every statistic is made to matter."""
    model = Classifier(Trunk(backbone, 0.125, padding="aligned"))
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            for values in (layer.weight, layer.running_var):
                torch.nn.init.uniform_(values, 0.5, 2.0)
            for values in (layer.bias, layer.running_mean):
                torch.nn.init.uniform_(values, -1.0, 1.0)
    trunk = Trunk(backbone, 0.125, padding="aligned").eval()
    trunk.load_classifier(model.torchvision_state())
    image = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        expected, features = model.eval().trunk(image)[-1], trunk(image)[-1]
    assert torch.allclose(features, expected, atol=1e-4 * expected.abs().max())


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


@pytest.mark.parametrize("change", [{"package": "no-such-package"}, {"file_sha256": "0" * 64}, {"file": "none.pth"}])
def test_packaged_weights_that_are_not_the_known_ones(change):
    with pytest.raises(CourseError, match="is missing, altered or of another version; run"):
        checkpoint.packaged_state(**(classifiers.LITE0_WEIGHTS | change))


def test_efficientnet_lite0_comes_in_one_form():
    for values, words in (
        ({"width": 0.5, "padding": "aligned"}, "no width 0.5"),
        ({"padding": 100}, 'give padding "aligned"'),
    ):
        with pytest.raises(CourseError, match=words):
            FCN32s(backbone="efficientnet_lite0", **values)
    with pytest.raises(CourseError, match="no small weights of efficientnet_lite0"):
        weights.classifier_weights("course", "efficientnet_lite0", 0.125)
