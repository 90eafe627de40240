"""fcn.geometry against hand-computed cases and against where the networks' gradients really fall."""

import itertools

import pytest
import torch
import torchvision
from torch import nn

from core.errors import CourseError
from fcn.geometry import Grid, bilinear_kernel, follow
from fcn.models import FCN8s, FCN16s, FCN32s


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
    "network, backbone, cuts, crop",
    [
        (FCN32s, "vgg16", [], 19),
        (FCN16s, "vgg16", [-5], 27),
        (FCN8s, "vgg16", [-5, -9], 31),
        (FCN32s, "alexnet", [], 18),
    ],
)
def test_published_crops(network, backbone, cuts, crop):
    model = network(backbone=backbone, width=0.125, padding=100)
    assert (model.cuts, bilinear_kernel(model.upsample.cells, Grid())[1]) == (cuts, crop)


def test_padding_150_needs_crop_69():
    cells = FCN32s(width=0.125, padding=150).upsample.cells
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


@pytest.mark.parametrize("name, start", [("alexnet", 31), ("googlenet", 22)])
def test_where_torchvisions_own_cells_lie(name, start):
    """The classifiers' last features, as torchvision has them: by arithmetic and by where the gradient falls."""
    options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    classifier = getattr(torchvision.models, name)(weights=None, **options).eval()
    heads = ("avgpool", "classifier", "dropout", "fc")
    layers = [child for child_name, child in classifier.named_children() if child_name not in heads]
    grid = follow(layers)
    assert (grid.start, grid.step) == (start, 32)
    features = _average_pooling(_constant(nn.Sequential(*layers)).double())
    image = torch.ones(1, 3, 801, 64, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(features(image)[0, 0, 12, 0], image)
    profile = gradient[0].sum(dim=(0, 2))
    assert ((profile * torch.arange(801)).sum() / profile.sum()).item() == pytest.approx(start + 12 * 32, abs=1e-6)


def _constant(model: nn.Module) -> nn.Module:
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, 1 / layer.weight[0].numel())
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return model


def _averaging(model: nn.Module) -> nn.Module:
    _constant(model)
    _average_pooling(model)
    return model


def _average_pooling(layer: nn.Module) -> nn.Module:
    if isinstance(layer, nn.MaxPool2d):
        return nn.AvgPool2d(layer.kernel_size, layer.stride, layer.padding, ceil_mode=True)
    for name, child in layer.named_children():
        setattr(layer, name, _average_pooling(child))
    return layer


@pytest.mark.parametrize(
    "layer, words",
    [
        (nn.Linear(3, 3), "isn't known|no map"),
        (nn.AdaptiveAvgPool2d(1), "no map of cells"),
        (nn.Conv2d(3, 3, (3, 5), padding=1), "meet in the two sides"),
        (nn.Conv2d(3, 3, 3, stride=(1, 2), padding=1), "meet in the two sides"),
        (nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), "depends on the image's size"),
        (nn.Upsample(size=32), "depends on the image's size"),
        (nn.MaxUnpool2d(2), "isn't known|can't be followed"),
    ],
)
def test_a_layer_that_is_not_known_is_refused(layer, words):
    with pytest.raises(CourseError, match=words):
        follow([layer])


@pytest.mark.parametrize(
    "layer",
    [
        nn.AvgPool2d(2),
        nn.AvgPool2d(3, 2, 1),
        nn.Conv2d(1, 1, (1, 7), padding=(0, 3)),
        nn.Conv2d(1, 1, 5, padding="same", dilation=2),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.Upsample(scale_factor=4, mode="nearest"),
    ],
)
def test_further_layers_lie_where_their_gradient_does(layer):
    grid = follow([layer])
    if isinstance(layer, nn.Conv2d):
        nn.init.ones_(layer.weight)
    image = torch.ones(1, 1, 41, 41, requires_grad=True)
    output = layer(image)
    # An interpolation's cells lie between pixels: several together look at their mean place.
    cells = range(8, 8 + int(1 / min(grid.step, 1)))
    (gradient,) = torch.autograd.grad(output[0, 0, cells.start : cells.stop, 8].sum(), image)
    profile = gradient[0, 0].sum(1)
    expected = grid.start + grid.step * sum(cells) / len(cells)
    assert ((profile * torch.arange(41)).sum() / profile.sum()).item() == pytest.approx(expected, abs=1e-5)
