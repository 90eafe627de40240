"""The place of cells held against gradients; interpolation against torch and against hand-made maps."""

import pytest
import torch

from cam.layers import layer_grid
from cam.resnet import ResNet18
from cam.upsampling import sample, upsample_aligned, upsample_ordinary
from core.errors import CourseError
from fcn.geometry import Grid


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
