"""fcn.analysis against the paper's table 1, torchvision and hand counts."""

import pytest
import torch
from torch import nn
from torchvision.models.googlenet import Inception

from fcn.analysis import KINDS, TransposedUpsampling, forward_seconds, longest_path, profile_layers, summarise
from fcn.backbones import Trunk
from fcn.geometry import follow
from fcn.models import FCN8s


@pytest.mark.parametrize(
    "name, depth, receptive_field", [("alexnet", 8, 355), ("vgg16", 16, 404), ("googlenet", 22, 379)]
)
def test_table_1(name, depth, receptive_field):
    """The paper's depths and fields; torchvision's GoogLeNet sees less than the paper's 907, see below."""
    summary = summarise(Trunk(name, 0.125))
    assert (summary.depth, summary.receptive_field, summary.step) == (depth, receptive_field, 32)


def test_googlenet_as_published_sees_907_pixels():
    """torchvision has 3 x 3 for the paper's 5 x 5 and a fourth pooling of 2 x 2; the average pooling is cut off."""
    trunk = Trunk("googlenet", 0.125)
    for module in trunk.modules():
        if isinstance(module, Inception):
            module.branch3[1].conv.kernel_size = (5, 5)
            module.branch3[1].conv.padding = (2, 2)
    trunk.maxpool4.kernel_size = 3
    grid = follow(trunk.children())
    assert grid.receptive_field == 715
    assert grid.convolve(7).receptive_field == 907


def test_gradients_fill_the_receptive_field():
    trunk = Trunk("alexnet", 0.125).double().eval()
    for layer in trunk.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, 1.0)
    image = torch.rand(1, 3, 700, 1, dtype=torch.float64, requires_grad=True)
    column = trunk(image)[-1][0, 0, :, 0]
    cell = len(column) // 2
    # Max pooling passes the gradient on to one pixel only, so the extent over many images is the field.
    touched = torch.zeros(700, dtype=torch.bool)
    for seed in range(60):
        noise = torch.rand(1, 3, 700, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        noise.requires_grad_(True)
        (gradient,) = torch.autograd.grad(trunk(noise)[-1][0, 0, cell, 0], noise)
        touched |= gradient.abs().sum(dim=(0, 1, 3)) > 0
    places = touched.nonzero().flatten()
    assert 300 < places.max() - places.min() + 1 <= 355


def test_longest_path_takes_the_longest_branch():
    class Two(Inception):
        def __init__(self):
            nn.Module.__init__(self)
            self.branch1, self.branch2 = nn.Conv2d(1, 1, 1), nn.Sequential(nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 3))

    assert longest_path([nn.Conv2d(1, 1, 1), nn.ReLU(), nn.Sequential(Two(), nn.Conv2d(1, 1, 1))]) == 4


def test_profile_counts_every_layer_once_and_leaves_the_network_as_it_was():
    torch.manual_seed(0)
    model = FCN8s(width=0.125, padding="aligned")
    before = {key: value.clone() for key, value in model.state_dict().items()}
    costs = profile_layers(model, torch.randn(1, 3, 64, 96), rounds=1)
    assert tuple(costs) == KINDS and all(cost.forward_seconds > 0 for cost in costs.values())
    weights = sum(p.numel() * 4 * (2 if p.requires_grad else 1) for p in model.parameters())
    assert sum(cost.weight_bytes for cost in costs.values()) == weights
    # By hand: 12 classes; maps of 2 x 3 and 4 x 6 cells, each widened by one cell, doubled; then all pixels.
    upsampled = [2 * (2 + 3) * 2 * (3 + 3), 2 * (4 + 3) * 2 * (6 + 3), 64 * 96]
    assert costs["upsampling"].output_bytes == 12 * sum(upsampled) * 4
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_a_pass_takes_time():
    assert 0 < forward_seconds(Trunk("alexnet", 0.125), torch.zeros(1, 3, 64, 64), rounds=1) < 10


@pytest.mark.parametrize("padding", [100, "aligned"])
def test_the_papers_upsampling_gives_the_same_scores(padding):
    torch.manual_seed(0)
    model, image = FCN8s(5, width=0.125, padding=padding).eval(), torch.randn(1, 3, 75, 118)
    for score in (model.score_fr, model.score_pool4, model.score_pool3):
        nn.init.normal_(score.weight)
    with torch.inference_mode():
        found = model(image)
        model.upscore8 = TransposedUpsampling(model.upscore8, 5)
        torch.testing.assert_close(found, model(image), rtol=1e-4, atol=1e-4)


def test_only_the_kinds_asked_for_are_measured():
    model, image = FCN8s(width=0.125, padding="aligned"), torch.randn(1, 3, 64, 96)
    (kind, products) = profile_layers(model, image, rounds=1, kinds=["upsampling"]).popitem()
    model.upscore8 = TransposedUpsampling(model.upscore8, 12)
    paper = profile_layers(model, image, rounds=1)[kind]
    assert kind == "upsampling" and products.output_bytes > 0 and products.backward_seconds > 0
    assert paper.weight_bytes - products.weight_bytes == 12 * 12 * 16 * 16 * 4  # fixed: no gradients
