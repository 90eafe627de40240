"""The ResNet-18 held against torchvision's own."""

import pytest
import torch
import torchvision

from cam.resnet import resnet18
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


def test_weights_come_from_files_and_fit_exactly(reference, tmp_path):
    """How files are read and entries held against the network is tested in tests/core/test_checkpoint.py."""
    state = reference.state_dict()
    torch.save(state, tmp_path / "weights.pth")
    loaded = resnet18(tmp_path / "weights.pth").state_dict()
    assert all(torch.equal(loaded[key], state[key]) for key in state)
    torch.save(state | {"fc.weight": state["fc.weight"][:10]}, tmp_path / "other.pth")
    with pytest.raises(CourseError, match="fc.weight of another shape"):
        resnet18(tmp_path / "other.pth")
