"""The ResNet-18 held against torchvision's own."""

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from cam.resnet import read_weights, resnet18
from core.errors import CourseError


@pytest.fixture(scope="module")
def reference() -> torch.nn.Module:
    torch.manual_seed(3)
    network = torchvision.models.resnet18().eval()
    for module in network.modules():  # untrained running statistics would hide a swapped normalisation
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return network


@torch.no_grad()
@pytest.mark.parametrize("size", [(224, 224), (97, 130), (1, 1)])
def test_logits_are_torchvisions_to_the_last_bit(reference, size):
    model = resnet18().eval()
    model.load_state_dict(reference.state_dict(), strict=True)
    x = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    logits, layer4 = model(x)
    assert torch.equal(logits, reference(x))
    assert layer4.shape == (2, 512, -(-size[0] // 32), -(-size[1] // 32))
    torch.testing.assert_close(model.fc(layer4.mean((2, 3))), logits)


def test_width_scales_the_channels():
    assert resnet18(num_classes=6, width=0.25)(torch.zeros(2, 3, 64, 64))[1].shape == (2, 128, 2, 2)
    assert resnet18(width=1.0).state_dict().keys() == resnet18(width=0.5).state_dict().keys()


@pytest.mark.parametrize(
    "spoil, word",
    [
        (lambda state: {f"module.{name}": value for name, value in state.items()}, "module.conv1.weight"),
        (lambda state: {name: value for name, value in state.items() if name != "fc.bias"}, "fc.bias missing"),
        (lambda state: state | {"fc.weight": state["fc.weight"][:10]}, "fc.weight of another shape"),
    ],
)
def test_weights_that_do_not_fit_are_named(reference, tmp_path, spoil, word):
    torch.save(spoil(reference.state_dict()), tmp_path / "weights.pth")
    with pytest.raises(CourseError, match=word):
        resnet18(tmp_path / "weights.pth")


def test_both_kinds_of_file_are_read(reference, tmp_path):
    state = reference.state_dict()
    save_file(state, tmp_path / "weights.safetensors")
    torch.save(state, tmp_path / "weights.pth")
    for name in ("weights.safetensors", "weights.pth"):
        loaded = resnet18(tmp_path / name).state_dict()
        assert all(torch.equal(loaded[key], state[key]) for key in state)


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_a_file_that_is_not_one_of_weights(tmp_path, name):
    (tmp_path / name).write_text("not weights at all")
    with pytest.raises(CourseError, match="not a whole file of weights"):
        read_weights(tmp_path / name)
    torch.save({"model": {"a": torch.ones(1)}}, tmp_path / "whole.pth")
    with pytest.raises(CourseError, match="no plain state dict"):
        read_weights(tmp_path / "whole.pth")
    with pytest.raises(CourseError, match="There are no weights at"):
        read_weights(tmp_path / "absent.pth")
    with pytest.raises(CourseError, match="There are no weights at"):
        read_weights(tmp_path / "absent.safetensors")
