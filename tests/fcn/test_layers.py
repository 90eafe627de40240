"""The layers of fcn.layers against torch's own, and against each other."""

import pytest
import torch
from torch.nn import functional

from fcn.geometry import Grid, bilinear_kernel
from fcn.layers import BilinearUpsampling, LearnedUpsampling, WholeMapConvolution


@pytest.mark.parametrize("stride", [2, 8, 32])
def test_extended_upsampling_is_bilinear_interpolation(stride):
    scores = torch.randn(1, 3, 5, 7)
    layer = LearnedUpsampling(3, 2 * stride, stride, extend=True)
    found = layer(scores)[..., 3 * stride // 2 :, 3 * stride // 2 :][..., : 5 * stride, : 7 * stride]
    torch.testing.assert_close(
        found, functional.interpolate(scores, scale_factor=stride, mode="bilinear"), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("stride", [2, 8, 32])
def test_matrix_products_are_interpolation_with_cells_in_the_middle(stride):
    """torch's align_corners=False puts cell i at stride * i + (stride - 1) / 2."""
    scores = torch.randn(2, 3, 5, 7, dtype=torch.float64)
    layer = BilinearUpsampling(Grid(start=(stride - 1) / 2, step=stride), extend=True)
    expected = functional.interpolate(scores, scale_factor=stride, mode="bilinear")
    torch.testing.assert_close(layer(scores, 5 * stride, 7 * stride), expected)


def test_matrix_products_are_interpolation_with_cells_at_the_corners():
    scores = torch.randn(2, 3, 5, 7, dtype=torch.float64)
    expected = functional.interpolate(scores, size=(33, 49), mode="bilinear", align_corners=True)
    torch.testing.assert_close(BilinearUpsampling(Grid(step=8), extend=True)(scores, 33, 49), expected)


@pytest.mark.parametrize("start, step", [(-3.5, 8), (-19 + 31.5, 32), (-62, 32)])
def test_matrix_products_are_the_papers_transposed_convolution_and_crop(start, step):
    """Values and gradients, for kernels of even and odd size."""
    grid = Grid(start, step)
    kernel, crop = bilinear_kernel(grid, Grid())
    paper = LearnedUpsampling(3, kernel, step).double()
    scores = torch.randn(2, 3, 6, 5, dtype=torch.float64, requires_grad=True)
    expected = paper(scores)[..., crop : crop + 3 * step + 5, crop : crop + 2 * step + 3]
    found = BilinearUpsampling(grid, extend=False)(scores, *expected.shape[-2:])
    torch.testing.assert_close(found, expected)
    upstream = torch.randn_like(expected)
    for a, b in zip(*(torch.autograd.grad(output, scores, upstream) for output in (found, expected))):
        torch.testing.assert_close(a, b)


def test_whole_map_convolution_is_a_convolution():
    layer = WholeMapConvolution(6, 10, 4, before=2, after=1)
    image = torch.randn(2, 6, 5, 7, requires_grad=True)
    expected = functional.conv2d(functional.pad(image, (2, 1, 2, 1)), layer.weight, layer.bias)
    torch.testing.assert_close(layer(image), expected, rtol=1e-5, atol=1e-5)
    upstream = torch.randn_like(expected)
    for a, b in zip(
        torch.autograd.grad(layer(image), (image, layer.weight), upstream),
        torch.autograd.grad(expected, (image, layer.weight), upstream),
    ):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_whole_map_weight_stays_one_matrix():
    """The convolutions' memory format is not for it: each step would copy it, and its gradient back."""
    layer = WholeMapConvolution(6, 10, 4)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 6, 3), layer).to(memory_format=torch.channels_last)
    network(torch.randn(2, 3, 9, 9)).sum().backward()
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last) and not network[0].weight.is_contiguous()
    assert layer.weight.flatten(1).data_ptr() == layer.weight.data_ptr() and layer.weight.grad.is_contiguous()
