"""Where the cells of torchvision's classifiers lie, held against where their gradients fall."""

import copy

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional
from torchvision.ops import SqueezeExcitation

from cam.layers import layer_grid
from cam.resnet import ResNet18
from core.errors import CourseError
from fcn.geometry import follow
from residual.networks import Network

SIDES = 1025, 97  # pixels: long enough along one side for a cell far from both ends
SMOOTH = (nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.Hardswish, nn.Dropout, nn.LayerNorm, SqueezeExcitation)


def gradient_centroid(model: nn.Module, layer: str, monkeypatch) -> tuple[int, float]:
    """A cell in the middle of a layer's map, and the centre of mass of its gradient in the image.

    Convolutions average, maxima become means of the same windows, and what bends or gates the signal is left out, so
    that the gradient is spread over all that a cell sees, evenly about its centre.
    """
    model = copy.deepcopy(model).eval()
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        if isinstance(getattr(module, "layer_scale", None), nn.Parameter):
            nn.init.ones_(module.layer_scale)
        replacement = None
        if isinstance(module, SMOOTH):
            replacement = nn.Identity()
        elif isinstance(module, nn.MaxPool2d):
            replacement = nn.AvgPool2d(module.kernel_size, module.stride, module.padding, ceil_mode=module.ceil_mode)
        elif isinstance(module, nn.Linear) and "features" in name:  # ConvNeXt's, over the channels of each cell
            nn.init.constant_(module.weight, 1 / module.in_features)
        if replacement is not None:
            model.get_submodule(name.rpartition(".")[0]).register_module(name.rpartition(".")[2], replacement)
    monkeypatch.setattr(functional, "max_pool2d", lambda x, *sizes, **named: functional.avg_pool2d(x, *sizes, **named))
    kept = {}
    model.get_submodule(layer).register_forward_hook(lambda _m, _i, output: kept.update(features=output))
    x = torch.ones(1, 3, *SIDES, requires_grad=True)
    model(x)
    cell = kept["features"].shape[2] // 2
    (gradient,) = torch.autograd.grad(kept["features"][0, 0, cell].sum(), x)
    mass = gradient[0].double().sum((0, 2))
    return cell, float((mass * torch.arange(SIDES[0])).sum() / mass.sum())


@pytest.mark.parametrize(
    "name, layer",
    [
        ("resnet18", "layer4"),
        ("resnet18", "layer3.0.downsample"),
        ("resnet50", "layer4"),
        ("vgg16", "features"),
        ("vgg16", "features.23"),
        ("alexnet", "features"),
        ("googlenet", "inception5b"),
        ("mobilenet_v2", "features"),
        ("mobilenet_v3_large", "features"),
        ("efficientnet_b0", "features"),
        ("convnext_tiny", "features"),
        ("squeezenet1_0", "features"),
        ("densenet121", "features"),
        ("shufflenet_v2_x1_0", "conv5"),
        ("regnet_y_400mf", "trunk_output"),
        ("inception_v3", "Mixed_7c"),
        ("mnasnet1_0", "layers"),
    ],
)
def test_cells_of_torchvisions_classifiers_lie_where_their_gradient_does(name, layer, monkeypatch):
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    model = getattr(torchvision.models, name)(weights=None, **options)
    grid = layer_grid(model, layer)
    cell, centroid = gradient_centroid(model, layer, monkeypatch)
    assert centroid == pytest.approx(grid.start + cell * grid.step, abs=0.3)


@pytest.mark.parametrize("model, layer", [(ResNet18(3, width=0.05), "layer4"), (Network(14), "blocks")])
def test_cells_of_the_courses_own_networks(model, layer, monkeypatch):
    cell, centroid = gradient_centroid(model, layer, monkeypatch)
    grid = layer_grid(model, layer)
    assert centroid == pytest.approx(cell * grid.step, abs=0.3) and grid.start == 0


@pytest.mark.parametrize(
    "name, layer, words",
    [
        ("swin_t", "features", "isn't known"),
        ("vit_b_16", "encoder", "isn't known"),
        ("resnet18", "avgpool", "gives no map of cells"),
        ("convnext_tiny", "features.1.0.block.1", "channels last"),
    ],
)
def test_what_cannot_be_placed_is_refused(name, layer, words):
    with pytest.raises(CourseError, match=words):
        layer_grid(getattr(torchvision.models, name)(weights=None), layer)


class Odd(nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 3, padding=1)
        self._forward = forward

    def forward(self, x):
        return self._forward(self, x)


@pytest.mark.parametrize(
    "forward, words",
    [
        (lambda self, x: self.layer(x) + self.layer(x)[:, :, 1:], "isn't known"),
        (lambda self, x: self.layer(x) + functional.max_pool2d(self.layer(x), 2, 1), "meet in"),
        (lambda self, x: self.layer(x) if x.sum() > 0 else x, "can't be followed"),
        (lambda self, x: torch.roll(self.layer(x), 1, 2), "isn't known"),
        (lambda self, x: functional.pad(self.layer(x), (1, 0, 0, 0)), "isn't known"),
        (lambda self, x: torch.cat([self.layer(x), self.layer(x)], 2), "isn't known"),
        (lambda self, x: self.layer(x).mean((2, 3)), "no map of cells"),
    ],
)
def test_networks_that_move_cells_in_other_ways(forward, words):
    with pytest.raises(CourseError, match=words):
        follow([Odd(forward)])


def test_a_layer_that_is_called_twice_counts_twice():
    assert follow([Odd(lambda self, x: self.layer(self.layer(x)))]).receptive_field == 5
    grid = follow([Odd(lambda self, x: functional.pad(self.layer(x)[:, :, ::2, ::2], (1, 1, 1, 1)))])
    assert (grid.start, grid.step) == (-2, 2)
