"""Grad-CAM held against CAM, captum and the network's state before and after."""

import copy

import pytest
import torch
import torchvision
from torch import nn

from cam.cam import class_activation_map
from cam.gradcam import grad_cam
from cam.resnet import ResNet18
from core.errors import CourseError

EXACT = {"rtol": 0, "atol": 1e-12}


@pytest.fixture
def network() -> ResNet18:
    torch.manual_seed(0)
    return ResNet18(num_classes=5, width=0.125).double().eval()


@pytest.fixture
def batch() -> torch.Tensor:
    return torch.randn(3, 3, 96, 160, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


class FlatHead(nn.Module):
    """Convolution, in-place ReLU, flatten, linear: no global average pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(4 * 6 * 8, 3))

    def forward(self, x):
        return self.head(self.conv(x))


def test_at_the_last_stage_it_is_cam_over_the_number_of_cells(network, batch):
    with torch.no_grad():
        _, features = network(batch)
    expected = class_activation_map(features, network.fc.weight.detach(), [1, 4, 0]) / 15
    torch.testing.assert_close(grad_cam(network, batch, [1, 4, 0], "layer4"), expected, **EXACT)
    torch.testing.assert_close(
        grad_cam(network, batch, [1, 4, 0], network.layer4, relu=True), expected.clamp(min=0), **EXACT
    )


def test_a_batch_equals_its_singles(network, batch):
    maps = grad_cam(network, batch, [1, 4, 0], "layer2")
    for i, c in enumerate([1, 4, 0]):
        torch.testing.assert_close(grad_cam(network, batch[i : i + 1], c, "layer2")[0], maps[i], **EXACT)


@pytest.mark.parametrize("layer", ["conv1", "layer1", "layer2.1.conv2", "layer3", "layer4"])
def test_agrees_with_captum(network, batch, layer):
    attribution = pytest.importorskip("captum.attr", reason="captum is not installed: pip install captum")
    logits_only = _LogitsOnly(network)
    reference = attribution.LayerGradCam(logits_only, network.get_submodule(layer))
    expected = reference.attribute(batch, target=[1, 4, 0])[:, 0].detach()
    torch.testing.assert_close(grad_cam(network, batch, [1, 4, 0], layer), expected, **EXACT)


class _LogitsOnly(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x)[0]


def test_with_a_flat_head_gradient_times_features_is_the_logit_and_grad_cam_is_not():
    torch.manual_seed(0)
    model = FlatHead().double()
    x = torch.randn(2, 3, 8, 10, dtype=torch.float64)
    features = model.conv(x).relu().detach().requires_grad_()
    logits = model.head[2](features.flatten(1))
    (gradient,) = torch.autograd.grad(logits[:, 1].sum(), features)
    bias = model.head[2].bias[1]
    torch.testing.assert_close((gradient * features).sum((1, 2, 3)) + bias, logits[:, 1], **EXACT)
    by_grad_cam = grad_cam(model, x, 1, "head.0").sum((1, 2)) + bias
    assert ((by_grad_cam - logits[:, 1]).abs() > 1e-3).all()


def test_operations_in_place_after_the_layer_do_not_change_what_is_kept():
    torch.manual_seed(0)
    model = FlatHead().double()
    x = torch.randn(2, 3, 8, 10, dtype=torch.float64)
    apart = copy.deepcopy(model)
    apart.head[0] = nn.ReLU(inplace=False)
    features = apart.conv(x).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(apart.head(features)[:, 2].sum(), features)
    expected = (gradient.mean((2, 3), keepdim=True) * features.detach()).sum(1)
    torch.testing.assert_close(grad_cam(model, x, 2, "conv"), expected, **EXACT)


def _state(network):
    return (
        [module.training for module in network.modules()],
        [parameter.requires_grad for parameter in network.parameters()],
        [None if p.grad is None else p.grad.clone() for p in network.parameters()],
        {name: value.clone() for name, value in network.state_dict().items()},
        [len(module._forward_hooks) + len(module._backward_hooks) for module in network.modules()],
    )


def _assert_same_state(before, after):
    assert before[0] == after[0] and before[1] == after[1] and before[4] == after[4] == [0] * len(after[4])
    for old, new in zip(before[2], after[2]):
        assert (old is None and new is None) or torch.equal(old, new)
    assert all(torch.equal(before[3][name], after[3][name]) for name in before[3])


@pytest.mark.parametrize("class_index", [1, 9])
def test_the_network_is_left_as_it_was_after_success_and_after_an_error(network, batch, class_index):
    network.train()
    network.layer3.eval()
    network.conv1.weight.requires_grad_(False)
    network.fc.weight.grad = torch.ones_like(network.fc.weight)
    before = _state(network)
    if class_index == 9:
        with pytest.raises(CourseError, match="no class 9"):
            grad_cam(network, batch, class_index, "layer4")
    else:
        grad_cam(network, batch, class_index, "layer4")
    _assert_same_state(before, _state(network))
    assert torch.is_grad_enabled()


def test_an_exception_inside_the_network_leaves_no_hook_and_gradients_on(network, batch):
    before = _state(network)
    with pytest.raises(RuntimeError):
        grad_cam(network, batch[:, :2], 0, "layer4")
    _assert_same_state(before, _state(network))
    assert torch.is_grad_enabled()


def test_frozen_parameters_give_the_same_map(network, batch):
    expected = grad_cam(network, batch, 0, "layer3")
    network.requires_grad_(False)
    assert torch.equal(grad_cam(network, batch, 0, "layer3"), expected)


def test_the_backward_pass_stops_at_the_layer(network, batch):
    """Nothing below the layer may be part of a graph: its outputs don't ask for gradients."""
    seen = {}
    handles = [
        getattr(network, name).register_forward_hook(
            lambda module, inputs, output, name=name: seen.update({name: output.requires_grad})
        )
        for name in ("conv1", "layer3", "fc")
    ]
    grad_cam(network, batch, 0, "layer4")
    for handle in handles:
        handle.remove()
    assert seen == {"conv1": False, "layer3": False, "fc": True}


@pytest.mark.parametrize("guard", [torch.no_grad, torch.inference_mode])
def test_without_gradients_it_says_so(network, batch, guard):
    with guard(), pytest.raises(CourseError, match="no_grad"):
        grad_cam(network, batch, 0, "layer4")


def test_a_layer_that_is_not_there(network, batch):
    with pytest.raises(CourseError, match='no layer "layer5"; did you mean "layer4"'):
        grad_cam(network, batch, 0, "layer5")
    with pytest.raises(CourseError, match='no layer "Conv2d"'):
        grad_cam(network, batch, 0, nn.Conv2d(3, 3, 1))


@pytest.mark.parametrize("class_index", [None, "dog", 1.5, [None] * 3])
def test_a_class_that_is_no_index(network, batch, class_index):
    with pytest.raises(CourseError, match="A class index is an integer"):
        grad_cam(network, batch, class_index, "layer4")


@pytest.mark.parametrize("layer", [["layer3", "layer4"], None, 4, ("layer3", "layer4")])
def test_a_layer_that_is_none(network, batch, layer):
    with pytest.raises(CourseError, match="A layer is a module or its name, not .*one layer's maps at a time"):
        grad_cam(network, batch, 0, layer)


def test_a_half_precision_network(network, batch):
    maps = grad_cam(network.bfloat16(), batch.bfloat16(), 0, "layer3")
    assert maps.dtype == torch.float32 and maps.isfinite().all()


def test_a_layer_without_a_map_or_without_use(network, batch):
    with pytest.raises(CourseError, match="no .* map"):
        grad_cam(network, batch, 0, "fc")
    network.spare = nn.Conv2d(3, 3, 1)
    with pytest.raises(CourseError, match="not used"):
        grad_cam(network, batch, 0, "spare")


def test_counts_and_nan(network, batch):
    with pytest.raises(CourseError, match="batch of 3"):
        grad_cam(network, batch, [0, 1], "layer4")
    with pytest.raises(CourseError, match="NaN"):
        grad_cam(network, batch * float("nan"), 0, "layer4")


def test_a_transformer_with_its_channels_last_is_refused():
    model, x = torchvision.models.swin_t(weights=None), torch.randn(1, 3, 64, 64)
    for layer in ("features.7", "norm"):
        with pytest.raises(CourseError, match="channels last"):
            grad_cam(model, x, 0, layer)
    convnext = torchvision.models.convnext_tiny(weights=None)  # the same normalisation, with its channels first
    assert grad_cam(convnext, x, 0, "features.7").shape == (1, 2, 2)
