"""fcn.geometry against hand-computed cases and against where the networks' gradients really fall."""

import copy
import itertools

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock

from cam.efficientnet import EfficientNetLite0
from cam.layers import layer_grid
from cam.resnet import ResNet18
from core.errors import CourseError
from fcn.geometry import Grid, bilinear_kernel, follow
from fcn.models import FCN8s, FCN16s, FCN32s
from residual.networks import Block, Network


def test_grid_of_a_convolution_by_hand():
    # kernel 3, stride 2, no padding: cell 0 sees pixels 0-2, cell 1 sees 2-4.
    assert Grid().convolve(3, stride=2) == Grid(start=1, step=2, receptive_field=3)


def test_grid_of_vgg16_by_hand():
    # Five poolings of 2 shift the first cell by (1 + 2 + 4 + 8 + 16) / 2 and 3 x 3 convolutions not at all.
    layers = [nn.Conv2d(3, 4, 3, padding=1), *[nn.MaxPool2d(2)] * 5]
    assert (follow(layers).start, follow(layers).step) == (15.5, 32)


def test_upsampling_undoes_the_step():
    grid = Grid().convolve(2, stride=2).upsample(4, 2, padding=1)
    assert (grid.start, grid.step) == (0, 1)


def test_cells_that_no_crop_aligns():
    with pytest.raises(ValueError, match="no crop"):
        Grid(start=0.5).cells_to(Grid())


# Derived by hand in the paper's own prototxt files: crops 19; 5 and 27; 5, 9 and 31; AlexNet 18.
@pytest.mark.parametrize(
    "network, backbone, crops",
    [
        (FCN32s, "vgg16", {"upscore32": 19}),
        (FCN16s, "vgg16", {"crop_pool4": 5, "upscore16": 27}),
        (FCN8s, "vgg16", {"crop_pool4": 5, "crop_pool3": 9, "upscore8": 31}),
        (FCN32s, "alexnet", {"upscore32": 18}),
    ],
)
def test_published_crops(network, backbone, crops):
    model = network(backbone=backbone, width=0.125, padding=100)
    for name, crop in crops.items():
        found = getattr(model, name)
        assert (bilinear_kernel(found.cells, Grid())[1] if name.startswith("up") else found) == crop


def test_padding_150_needs_crop_69():
    cells = FCN32s(width=0.125, padding=150).upscore32.cells
    assert bilinear_kernel(cells, Grid()) == (64, 69)


FORMS = [
    *itertools.product(["vgg16", "alexnet", "googlenet"], [0.125], [100, "aligned"]),
    ("efficientnet_lite0", 1.0, "aligned"),
]


@pytest.mark.parametrize("backbone, width, padding", FORMS)
@pytest.mark.parametrize("network", [FCN32s, FCN16s, FCN8s])
def test_gradient_centroid_is_the_pixel_itself(network, backbone, width, padding):
    """What an output pixel depends on must be centred on the same pixel of the image.

    All weights are equal and poolings average, so that the gradient spreads evenly over the receptive field.
    """
    model = _averaging(network(num_classes=1, backbone=backbone, width=width, padding=padding).double().eval())
    image = torch.ones(1, 3, 1201, 1, dtype=torch.float64, requires_grad=True)
    scores = model(image)[0, 0, :, 0]
    for pixel in (590, 600, 613):
        (gradient,) = torch.autograd.grad(scores[pixel], image, retain_graph=True)
        profile = gradient[0].sum(dim=(0, 2))
        centroid = (profile * torch.arange(1201)).sum() / profile.sum()
        assert centroid.item() == pytest.approx(pixel, abs=1e-6)


def _centroid(model: nn.Module, layer: str, side: int = 1025) -> tuple[int, float]:
    """A cell in the middle of a layer's map, and the centre of its gradient in the image."""
    model, kept = _averaging(model.double().eval()), {}
    model.get_submodule(layer).register_forward_hook(lambda _m, _i, output: kept.update(features=output))
    image = torch.ones(1, 3, side, 97, dtype=torch.float64, requires_grad=True)
    model(image)
    cell = kept["features"].shape[2] // 2
    (gradient,) = torch.autograd.grad(kept["features"][0, 0, cell].sum(), image)
    profile = gradient[0].sum((0, 2))
    return cell, float((profile * torch.arange(side)).sum() / profile.sum())


NAMED = [("resnet18", "layer4"), ("resnet18", "layer3.0.conv1"), ("resnet18", "layer3.0.downsample")]
NAMED += [("resnet50", "layer3"), ("vgg11", "features.10"), ("alexnet", "features")]
NAMED += [("googlenet", "inception5b"), ("googlenet", "inception4a.branch3.1")]


@pytest.mark.parametrize("name, layer", NAMED)
def test_cells_of_torchvisions_networks_lie_where_their_gradient_does(name, layer):
    options = {"init_weights": False} if name in ("vgg11", "googlenet") else {}
    model = getattr(torchvision.models, name)(weights=None, **options)
    grid = layer_grid(model, layer)
    cell, centroid = _centroid(model, layer)
    assert centroid == pytest.approx(grid.start + cell * grid.step, abs=1e-6)


OWN = {
    "ResNet-18": (ResNet18(3, width=0.05), "layer4"),
    "EfficientNet-Lite0": (EfficientNetLite0(), "bn2"),
    "a layer within EfficientNet-Lite0": (EfficientNetLite0(), "blocks.3.0.conv_dw"),
    "plain": (Network(14, "none"), "blocks"),
    "residual": (Network(14, activation="tanh"), "blocks"),
    "projection": (Network(14, "projection"), "blocks.2"),
}


@pytest.mark.parametrize("model, layer", OWN.values(), ids=OWN)
def test_cells_of_the_courses_own_networks_lie_where_their_gradient_does(model, layer):
    grid = layer_grid(model, layer)
    cell, centroid = _centroid(copy.deepcopy(model), layer)
    assert grid.start == 0 and centroid == pytest.approx(cell * grid.step, abs=1e-6)


def _averaging(model: nn.Module) -> nn.Module:
    """The network with equal weights, poolings that average, and nothing that bends the signal."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, 1 / layer.weight[0].numel())
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        if isinstance(layer, Block):
            layer.activation = nn.Identity()
    return _straightened(model)


def _straightened(layer: nn.Module) -> nn.Module:
    if isinstance(layer, nn.MaxPool2d):
        return nn.AvgPool2d(layer.kernel_size, layer.stride, layer.padding, ceil_mode=layer.ceil_mode)
    if isinstance(layer, nn.ReLU | nn.ReLU6):
        return nn.Identity()
    for name, child in layer.named_children():
        setattr(layer, name, _straightened(child))
    return layer


class Shifted(nn.Conv2d):
    """A subclass that does something of its own."""


def _block(**changed) -> BasicBlock:
    block = BasicBlock(4, 4)
    for name, layer in changed.items():
        setattr(block, name, layer)
    return block


@pytest.mark.parametrize(
    "layer, words",
    [
        (nn.Linear(3, 3), "of Linear lie isn't known"),
        (nn.AdaptiveAvgPool2d(1), "isn't known"),
        (nn.Sequential(nn.ReLU(), Shifted(3, 3, 3)), "of Shifted lie isn't known"),
        (nn.Conv2d(3, 3, (3, 5), padding=1), r"kernel_size \(3, 5\)"),
        (nn.Conv2d(3, 3, 3, padding="same"), "padding same"),
        (_block(conv2=nn.Conv2d(4, 4, 3)), "end on different cells"),
        (_block(downsample=nn.MaxPool2d(2)), "end on different cells"),
    ],
)
def test_a_layer_that_is_not_known_is_refused(layer, words):
    with pytest.raises(CourseError, match=words):
        follow([layer])


@pytest.mark.parametrize("name, layer", [("densenet121", "features"), ("swin_t", "features"), ("resnet18", "avgpool")])
def test_a_network_that_is_not_known_is_refused(name, layer):
    with pytest.raises(CourseError, match="isn't known"):
        layer_grid(getattr(torchvision.models, name)(weights=None), layer)


@pytest.mark.parametrize("layer", [nn.AvgPool2d(2), nn.MaxPool2d(3, 2, 1), nn.Conv2d(1, 1, 5, padding=1, dilation=2)])
def test_layers_lie_where_their_gradient_does(layer):
    grid, image = follow([layer]), torch.ones(1, 1, 41, 41, requires_grad=True)
    (gradient,) = torch.autograd.grad(_averaging(nn.Sequential(layer))(image)[0, 0, 8, 8], image)
    profile = gradient[0, 0].sum(1)
    place = ((profile * torch.arange(41)).sum() / profile.sum()).item()
    assert place == pytest.approx(grid.start + grid.step * 8, abs=1e-5)
