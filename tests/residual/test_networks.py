"""Plain and residual networks, held against the paper's figures, torchvision's block and first principles."""

import math

import pytest
import torch
from torch.nn import functional
from torchvision.models.resnet import BasicBlock

from core.checkpoint import save_weights
from core.errors import CourseError
from fcn.geometry import follow_to
from residual.networks import Block, Network, ZeroPadded, blocks_per_stage, from_weights, main_convolutions


@pytest.mark.parametrize("depth, parameters", [(20, 0.27e6), (32, 0.46e6), (44, 0.66e6), (56, 0.85e6), (110, 1.7e6)])
def test_has_the_parameters_of_the_paper(depth, parameters):
    """He et al., table 6; counted there to two digits."""
    count = sum(p.numel() for p in Network(depth).parameters())
    assert count == pytest.approx(parameters, rel=0.025)


@pytest.mark.parametrize("depth, convolutions", [(20, 19), (56, 55), (35, 35), (53, 53)])
@pytest.mark.parametrize("shortcut", ["identity", "projection", "none"])
def test_has_as_many_convolutions_as_its_depth_says(depth, convolutions, shortcut):
    layers = list(main_convolutions(Network(depth, shortcut)).values())
    assert len(layers) == convolutions and all(layer.kernel_size == (3, 3) for layer in layers)
    assert [layer.stride for layer in layers].count((2, 2)) == 2


@pytest.mark.parametrize("depth", [0, 2, 7, 21, 34, -4])
def test_other_depths_are_refused(depth):
    with pytest.raises(CourseError, match="6n \\+ 2"):
        blocks_per_stage(depth)


@pytest.mark.parametrize("stride, channels", [(1, 16), (2, 32)])
def test_a_projection_block_is_torchvisions(stride, channels):
    torch.manual_seed(0)
    ours = Block(16, channels, stride, "projection", "relu", batch_norm=True)
    downsample = ours.shortcut if stride == 2 else None
    theirs = BasicBlock(16, channels, stride, downsample)
    names = {"norm1": "bn1", "norm2": "bn2", "shortcut.": "downsample."}
    state = ours.state_dict()
    for name, other in names.items():
        state = {key.replace(name, other): value for key, value in state.items()}
    theirs.load_state_dict(state)
    x = torch.randn(2, 16, 8, 8)
    assert torch.equal(ours(x), theirs(x))


def test_zero_padding_keeps_every_second_pixel_and_adds_nothing():
    x = torch.arange(2 * 5 * 5.0).view(1, 2, 5, 5)
    y = ZeroPadded(3)(x)
    assert y.shape == (1, 5, 3, 3) and torch.equal(y[:, :2], x[:, :, ::2, ::2]) and not y[:, 2:].any()
    assert not list(ZeroPadded(3).parameters())


def test_only_the_shortcut_tells_a_plain_block_from_a_residual_one():
    torch.manual_seed(0)
    plain, residual = (Block(8, 8, 1, kind, "relu", batch_norm=False) for kind in ("none", "identity"))
    plain.load_state_dict(residual.state_dict())
    x = torch.randn(2, 8, 6, 6)
    assert torch.equal(plain(x), residual.residual(x).relu())
    assert torch.equal(residual(x), (residual.residual(x) + x).relu())


def test_with_f_zero_a_residual_network_passes_its_input_on():
    model = Network(20, activation="relu", batch_norm=False)
    for block in model.blocks:
        torch.nn.init.zeros_(block.conv2.weight)
    x = model.stem(torch.randn(1, 3, 32, 32)).relu()
    y = model.blocks(x)
    assert torch.equal(y[:, :16], x[:, :, ::4, ::4]) and not y[:, 16:].any()


@pytest.mark.parametrize("side", [1, 16, 31, 32])
def test_takes_any_size(side):
    assert Network(8, "projection", num_classes=7)(torch.randn(2, 3, side, side)).shape == (2, 7)


@pytest.mark.parametrize(
    "name, fan, gain",
    [
        ("torch", "in", 1 / math.sqrt(3)),
        ("lecun", "in", 1.0),
        ("he", "out", math.sqrt(2)),
        ("xavier", "both", 1.0),
        ("orthogonal", "wide", 1.0),
    ],
)
def test_initialisations_have_their_variance(name, fan, gain):
    torch.manual_seed(0)
    layer = Network(20, batch_norm=False, initialisation=name).blocks[-1].conv2  # 64 → 64
    assert layer.weight.var().item() == pytest.approx(gain**2 / (64 * 9), rel=0.03)
    stride = Network(20, batch_norm=False, initialisation=name).blocks[3].conv1  # 16 → 32, where fans differ
    fans = {"in": 16 * 9, "out": 32 * 9, "both": 24 * 9, "wide": 16 * 9}[fan]
    assert stride.weight.var().item() == pytest.approx(gain**2 / fans, rel=0.06)
    assert (name == "torch") == layer.bias.any().item()


@pytest.mark.parametrize(
    "arguments, suggestion",
    [
        ({"shortcut": "identiy"}, 'did you mean "identity"'),
        ({"activation": "sigmoid"}, "choose one of relu, tanh"),
        ({"initialisation": "xaver"}, 'did you mean "xavier"'),
    ],
)
def test_unknown_names_are_refused_with_a_suggestion(arguments, suggestion):
    with pytest.raises(CourseError, match=suggestion):
        Network(8, **arguments)


def test_weights_come_back_with_their_network(tmp_path):
    model = Network(8, "projection", "tanh", num_classes=4).eval()
    save_weights(model, tmp_path / "small.safetensors")
    again = from_weights(tmp_path / "small.safetensors")
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(again(x), model(x)) and again.configuration == model.configuration
    save_weights(model, tmp_path / "deep.safetensors", model.configuration | {"depth": 6 * 10**9 + 2})
    with pytest.raises(CourseError, match="invalid configuration .There is no network of depth"):
        from_weights(tmp_path / "deep.safetensors")
    save_weights(torch.nn.Linear(2, 2), tmp_path / "other.safetensors")
    with pytest.raises(CourseError, match="other.safetensors"):
        from_weights(tmp_path / "other.safetensors")


def test_features_are_what_is_averaged_for_the_logits():
    model, x = Network(14, num_classes=6).eval(), torch.randn(2, 3, 32, 32)
    features = model.features(x)
    assert features.shape == (2, 64, 8, 8)
    torch.testing.assert_close(
        functional.linear(features.mean((2, 3)), model.linear.weight, model.linear.bias), model(x)
    )


def test_plain_and_residual_networks_differ_in_nothing_but_their_shortcuts():
    plain, residual = Network(14, "none"), Network(14, "identity")
    shapes = [{name: value.shape for name, value in model.state_dict().items()} for model in (plain, residual)]
    assert shapes[0] == shapes[1]
    grid = follow_to(plain, plain.blocks)
    assert follow_to(residual, residual.blocks) == grid and (grid.start, grid.step) == (0, 4)
