"""The checks of the exercises: right answers pass, and each usual mistake is called by its name."""

import copy
import functools

import numpy as np
import pytest
import torch
from torch import nn

from cam.resnet import ResNet18
from course.checks import (
    VGG16_NAMES,
    CheckFailed,
    check_bilinear,
    check_crops,
    check_features,
    check_layers,
    check_mended,
    check_same_scores,
    check_transplant,
    crops,
    expect_close,
)
from experiments.pretext import Classifier
from fcn.backbones import Trunk
from fcn.layers import LearnedUpsampling
from fcn.models import FCN8s, FCN32s

WIDTH = 0.125


class Student(nn.Module):
    """FCN-32s as a student would write it, with room for mistakes."""

    def __init__(self, crop_rows=19, crop_columns=19, padding=100):
        super().__init__()
        trunk = Trunk("vgg16", WIDTH, padding)
        self.trunk = nn.Sequential(trunk.features, trunk.classifier)
        self.score_fr = nn.Conv2d(512, 12, 1)
        self.upscore32 = LearnedUpsampling(12, 64, 32)
        self.rows, self.columns = crop_rows, crop_columns

    def forward(self, image):
        height, width = image.shape[-2:]
        scores = self.upscore32(self.score_fr(self.trunk(image)))
        return scores[..., self.rows : self.rows + height, self.columns : self.columns + width]


def reference() -> FCN32s:
    return FCN32s(12, width=WIDTH, padding=100)


def test_right_network_passes():
    check_same_scores(Student(), reference())


@pytest.mark.parametrize("rows, columns, message", [(24, 19, "5 pixels too high"), (19, 9, "10 pixels too far right")])
def test_wrong_crop_is_named_in_pixels(rows, columns, message):
    with pytest.raises(CheckFailed, match=message):
        check_same_scores(Student(rows, columns), reference())


def test_missing_crop_is_named_by_its_shape():
    class Uncropped(Student):
        def forward(self, image):
            return self.upscore32(self.score_fr(self.trunk(image)))

    with pytest.raises(CheckFailed, match=r"they should be \(1, 12, 75, 118\)"):
        check_same_scores(Uncropped(), reference())


def test_missing_activation_is_a_difference():
    student = Student()
    student.trunk[1][1] = nn.Identity()
    with pytest.raises(CheckFailed, match="activations"):
        check_same_scores(student, reference())


def test_missing_layer_is_named():
    with pytest.raises(CheckFailed, match="no layer called upscore2"):
        check_same_scores(Student(), FCN8s(12, width=WIDTH))


@pytest.mark.parametrize(
    "spoil, message",
    [
        (
            lambda layers: layers.__setitem__(0, nn.Conv2d(3, 8, 3, padding=1)),
            r"\(conv1_1\) has padding 1; it should be",
        ),
        (lambda layers: layers.__setitem__(5, nn.Conv2d(8, 8, 3, padding=1)), r"\(conv2_1\) has out_channels 8"),
        (lambda layers: layers.__setitem__(4, nn.MaxPool2d(2)), r"\(pool1\) has ceil_mode False"),
        (lambda layers: layers.__setitem__(1, nn.Identity()), "is a Identity; it should be a ReLU"),
        (lambda layers: layers.pop(), "There are 30 layers; there should be 31"),
    ],
)
def test_wrong_layer_is_named(spoil, message):
    layers = list(Trunk("vgg16", WIDTH, 100).features)
    spoil(layers)
    with pytest.raises(CheckFailed, match=message):
        check_layers(layers, Trunk("vgg16", WIDTH, 100).features, VGG16_NAMES)


def test_bilinear_weights():
    check_bilinear(LearnedUpsampling(3, 8, 4).weight, 4)
    with pytest.raises(CheckFailed, match="another one"):
        check_bilinear(torch.full((3, 3, 8, 8), 0.1), 4)
    halved = LearnedUpsampling(3, 8, 4).weight.detach() / 2
    with pytest.raises(CheckFailed, match="peak"):
        check_bilinear(halved, 4)


def test_transplant():
    state = {key: value.float() for key, value in Classifier(Trunk("vgg16", WIDTH, 100)).torchvision_state().items()}
    trunk = Trunk("vgg16", WIDTH, 100)
    with pytest.raises(CheckFailed, match="features.0.weight is not the classifier's yet"):
        check_transplant(trunk, state)
    trunk.load_classifier(state)
    check_transplant(trunk, state)
    with torch.no_grad():
        mixed = state["classifier.0.weight"].view(512, 7, 7, 64).permute(0, 3, 1, 2)
        trunk.classifier[0].weight.copy_(mixed)
    with pytest.raises(CheckFailed, match="channel by channel"):
        check_transplant(trunk, state)


def test_numbers():
    expect_close(0.5, 1 / 2, "a half")
    with pytest.raises(CheckFailed, match="mean_iou is 0.4; it should be 0.5"):
        expect_close(0.4, 0.5, "mean_iou")
    with pytest.raises(CheckFailed, match="shape"):
        expect_close(torch.zeros(2), torch.zeros(3), "counts")


def test_the_students_network_stays_as_it_is():
    student, reference = FCN32s(12, width=WIDTH, padding=100), FCN32s(12, width=WIDTH, padding=100)
    torch.nn.init.ones_(student.score_fr.weight)
    before = [{name: value.clone() for name, value in model.state_dict().items()} for model in (student, reference)]
    check_same_scores(student, reference)
    for model, state in zip((student, reference), before):
        assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
        assert model.training


def test_crops_of_fcn8s_for_the_papers_padding_and_another():
    trunk = Trunk("vgg16", 0.125, padding=100)
    assert crops(trunk) == (5, 9, 31)  # Long et al.'s own network definition
    assert crops(Trunk("vgg16", 0.125, padding=150)) == (5, 9, 81)  # all cells move by 50 pixels
    check_crops(trunk, 5, 9, 31)
    with pytest.raises(CheckFailed, match="crop_pool3 is 8, off by -1"):
        check_crops(trunk, 5, 8, 31)


def hooked(model, name, images, gradient=False, remove=True, before=False):
    kept = []
    layer = model.get_submodule(name)
    hook = layer.register_forward_hook(lambda layer, inputs, output: kept.append(inputs[0] if before else output))
    with torch.set_grad_enabled(gradient):
        model(images)
    if remove:
        hook.remove()
    return kept[0]


def test_features_by_a_hook():
    torch.manual_seed(0)
    model = ResNet18(num_classes=3, width=0.125).eval()
    images = torch.randn(2, 3, 64, 64)
    check_features(hooked, model, images)
    for wrong, message in (
        ({"gradient": True}, "gradient"),
        ({"before": True}, "features of layer4 are"),
        ({"remove": False}, "hook is left"),
    ):
        with pytest.raises(CheckFailed, match=message):
            check_features(functools.partial(hooked, **wrong), copy.deepcopy(model), images)
    with pytest.raises(CheckFailed, match="not the features of conv1"):
        check_features(lambda model, name, images: hooked(model, model.last_layer, images), model, images)
    with pytest.raises(CheckFailed, match="not the features of conv1"):
        check_features(lambda *asked: hooked(*asked) * (1 if asked[1] == "layer4" else 2), model, images)


def scored(model, images, train=False, factor=1, alone=True):
    model = (copy.deepcopy(model) if alone else model).train(train)
    with torch.no_grad():
        grids = torch.from_numpy(factor * images)[:, None]
        return torch.cat([model(grid[None]).argmax(dim=1) for grid in grids]).numpy()


def test_a_faulty_evaluation_is_mended_of_both_mistakes():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Tanh(), nn.Conv2d(8, 5, 3, padding=1))
    model.eval()
    images = np.random.default_rng(0).random((3, 12, 16), dtype=np.float32)
    check_mended(scored, model, images)
    for wrong, message in (
        ({"train": True, "factor": 255}, "Batch normalisation"),
        ({"train": True}, "Batch normalisation"),
        ({"factor": 255}, "255 times"),
        ({"factor": 2}, "not the network's"),
        ({"train": True, "alone": False}, "running statistics"),
    ):
        with pytest.raises(CheckFailed, match=message):
            check_mended(functools.partial(scored, **wrong), copy.deepcopy(model), images)
