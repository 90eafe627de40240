"""The place of cells held against gradients; interpolation against torch and against hand-made maps."""

import copy

import pytest
import torch
import torchvision
from torch import nn

from cam.layers import layer_grid
from cam.resnet import ResNet18
from cam.upsampling import sample, upsample_aligned, upsample_ordinary
from core.errors import CourseError
from fcn.geometry import Grid


def _gradient_centroid(model: nn.Module, layer: str, cell: int, size: int) -> float:
    """Where in the image a cell looks: the centre of mass of its gradient, all weights being 1.

    Max pooling is replaced by average pooling of the same window, so that the whole window carries gradient.
    """
    model = copy.deepcopy(model).double().eval()
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Conv2d):
            nn.init.ones_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        if isinstance(module, nn.MaxPool2d):
            parent = model.get_submodule(name.rpartition(".")[0])
            pool = nn.AvgPool2d(module.kernel_size, module.stride, module.padding, ceil_mode=module.ceil_mode)
            setattr(parent, name.rpartition(".")[2], pool)
    kept = {}
    model.get_submodule(layer).register_forward_hook(lambda _m, _i, output: kept.update(features=output))
    x = torch.ones(1, 3, size, size, dtype=torch.float64, requires_grad=True)
    model(x)
    kept["features"][0, 0, cell, cell].backward()
    mass = x.grad[0].sum((0, 2))
    return float((mass * torch.arange(size)).sum() / mass.sum())


@pytest.mark.parametrize(
    "layer, cell",
    [("conv1", 20), ("layer1", 40), ("layer2", 20), ("layer3", 12), ("layer4.0.downsample", 9), ("layer4", 9)],
)
def test_cells_of_a_resnet_lie_where_their_gradient_does(layer, cell):
    grid = layer_grid(ResNet18(3, width=0.02), layer)
    assert grid.start == 0
    assert _gradient_centroid(ResNet18(3, width=0.02), layer, cell, 640) == pytest.approx(cell * grid.step)


@pytest.mark.parametrize("name, layer, cell", [("vgg16", "features.30", 9), ("alexnet", "features", 8)])
def test_cells_of_other_networks_lie_where_their_gradient_does(name, layer, cell):
    model = getattr(torchvision.models, name)().features
    grid = layer_grid(nn.ModuleDict({"features": model}), layer)
    wrapped = nn.Sequential()
    wrapped.add_module("features", model)
    assert _gradient_centroid(wrapped, layer, cell, 600) == pytest.approx(grid.start + cell * grid.step)


def test_the_last_stage_of_a_resnet_is_half_a_cell_from_where_resizing_puts_it():
    grid = layer_grid(ResNet18(3, width=0.02), "layer4")
    assert (grid.start, grid.step) == (0, 32)
    maps = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    resized = Grid(start=15.5, step=32)
    torch.testing.assert_close(upsample_aligned(maps, (224, 160), resized), upsample_ordinary(maps, (224, 160)))
    aligned = upsample_aligned(maps, (224, 160), grid)
    torch.testing.assert_close(aligned[:, ::32, ::32], maps, rtol=0, atol=0)


def test_between_cells_it_is_linear_and_beyond_them_constant():
    line = sample(
        torch.tensor([[0.0, 4.0]]),
        torch.tensor([0.0]),
        torch.tensor([-9.0, 2.0, 3.0, 5.0, 99.0]),
        Grid(start=2, step=4),
    )
    assert line.tolist() == [[0.0, 0.0, 1.0, 3.0, 4.0]]


def test_a_single_cell_fills_the_image():
    assert (upsample_aligned(torch.full((1, 1), 3.0), (32, 32), Grid(0, 32)) == 3).all()


def test_a_grid_of_another_layer_is_refused():
    with pytest.raises(CourseError, match="do not cover"):
        upsample_aligned(torch.ones(14, 14), (224, 224), Grid(0, 32))
    with pytest.raises(CourseError, match="do not cover"):
        upsample_aligned(torch.ones(7, 7), (224, 224), Grid(0, 16))
