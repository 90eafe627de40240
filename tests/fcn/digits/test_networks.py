"""The surgery is exact, cells lie on cells, and names that don't exist are told."""

import pytest
import torch
from torch import nn

from core.errors import CourseError
from fcn.digits.networks import NETWORKS, DigitClassifier, Encoder, make_network
from fcn.geometry import Grid


@pytest.fixture
def classifier() -> DigitClassifier:
    torch.manual_seed(0)
    model = DigitClassifier()
    model(torch.rand(32, 1, 28, 28))  # running means and variances that aren't 0 and 1
    return model.eval()


def as_convolution(linear: nn.Linear, side: int) -> nn.Conv2d:
    """torch flattens a map channel by channel, so a linear weight is a convolution's in another shape."""
    convolution = nn.Conv2d(linear.in_features // side**2, linear.out_features, side)
    convolution.weight.data = linear.weight.detach().reshape(convolution.weight.shape)
    convolution.bias.data = linear.bias.detach()
    return convolution


def test_a_linear_layer_is_a_convolution(classifier):
    images = torch.rand(5, 1, 28, 28)
    convolution = as_convolution(classifier.linear, 2)
    assert convolution.weight.shape == (10, 256, 2, 2)
    with torch.no_grad():
        scores = convolution(classifier.encoder(images)[-1])
        assert scores.shape == (5, 10, 1, 1)
        assert (scores[..., 0, 0] - classifier(images)).abs().max() <= 1e-5
        assert convolution(classifier.encoder(torch.rand(1, 1, 56, 84))[-1]).shape == (1, 10, 5, 8)


def test_a_cell_of_a_grid_says_what_the_classifier_says_of_its_digit(classifier):
    """A digit put down at (8 i, 8 j) on black: cell (i, j) is the classifier's logits, for all that lie inside."""
    digit = torch.zeros(1, 1, 28, 28)
    digit[..., 4:24, 4:24] = torch.rand(20, 20)
    convolution = as_convolution(classifier.linear, 2)
    with torch.no_grad():
        expected = classifier(digit)[0]
        for i, j in ((0, 0), (1, 3), (3, 7), (2, 5)):
            grid = torch.zeros(1, 1, 56, 84)
            grid[..., 8 * i : 8 * i + 28, 8 * j : 8 * j + 28] = digit
            scores = convolution(classifier.encoder(grid)[-1])[0]
            assert (scores[:, i, j] - expected).abs().max() <= 1e-5
            assert (scores[:, (i + 2) % 5, j] - expected).abs().max() > 1e-2


def test_the_grids_are_where_gradients_come_from():
    """The middle of the pixels that reach a cell, counted by gradients, is where the grid puts it."""
    encoder = Encoder().eval()
    for layer in encoder.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, 1.0)
    assert encoder.grids == [Grid(0, 1, 3), Grid(0.5, 2, 4), Grid(3.5, 4, 10), Grid(9.5, 8, 22)]
    image = torch.rand(1, 1, 56, 84, requires_grad=True)
    encoder.pool = nn.AvgPool2d(2, ceil_mode=True)  # the same cells; every pixel counts
    for grid, features in zip(encoder.grids, encoder(image)):
        row, column = features.shape[-2] // 2, features.shape[-1] // 2
        (gradient,) = torch.autograd.grad(features[0, 0, row, column], image, retain_graph=True)
        rows, columns = (torch.nonzero(gradient[0, 0].sum(dim=axis)).flatten() for axis in (1, 0))
        assert (rows[0] + rows[-1]) / 2 == grid.start + row * grid.step
        assert (columns[0] + columns[-1]) / 2 == grid.start + column * grid.step
        assert rows[-1] - rows[0] + 1 == grid.receptive_field


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_answer_in_the_pictures_size_and_batches_equal_singles(name):
    torch.manual_seed(0)
    model = make_network(name).eval()
    for size in ((28, 28), (56, 84), (20, 21), (37, 51)):
        images = torch.rand(3, 1, *size)
        with torch.no_grad():
            logits = model(images)
            assert logits.shape == (3, 11, *size)
            assert torch.allclose(logits[1:2], model(images[1:2]), atol=1e-5)


def test_only_the_skips_tell_the_two_apart():
    standard, skips = (set(make_network(name).state_dict()) for name in ("standardFCN", "fcn8"))
    assert standard < skips and all(key.startswith("skip_layers") for key in skips - standard)
    model = make_network("fcn8")
    assert model.cuts == [1, 0, 1] == make_network("standardFCN").cuts
    for layer in model.skip_layers:  # without what they add, fcn8 is standardFCN
        nn.init.zeros_(layer.weight)
    plain = make_network("standardFCN")
    plain.load_state_dict({key: value for key, value in model.state_dict().items() if "skip" not in key})
    images = torch.rand(2, 1, 28, 28)
    with torch.no_grad():
        assert torch.equal(plain.eval()(images), model.eval()(images))


def test_surgery_keeps_the_trained_encoder(classifier):
    model = make_network("fcn8")
    model.start_from(classifier)
    assert all(
        torch.equal(value, classifier.encoder.state_dict()[key]) for key, value in model.encoder.state_dict().items()
    )


@pytest.mark.parametrize(
    "name, words",
    [
        ("fcn-8", 'did you mean "fcn8"'),
        ("FCN8", 'did you mean "fcn8"'),
        ("standard", 'did you mean "standardFCN"'),
        ("unet", "choose one of standardFCN, fcn8"),
    ],
)
def test_unknown_names_suggest_the_nearest(name, words):
    with pytest.raises(CourseError, match=words):
        make_network(name)
