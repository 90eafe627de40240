"""CAM held against the identities that global average pooling and a linear head imply."""

import pytest
import torch
from torch import nn

from cam.cam import class_activation_map, top_prediction
from cam.overlay import scale_to_unit
from cam.resnet import ResNet18
from core.errors import CourseError

EXACT = {"rtol": 0, "atol": 1e-12}


@pytest.fixture(scope="module")
def network() -> ResNet18:
    torch.manual_seed(0)
    return ResNet18(num_classes=5, width=0.125).double().eval()


@pytest.fixture(scope="module")
def batch() -> torch.Tensor:
    return torch.randn(3, 3, 96, 160, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_mean_of_the_map_plus_the_bias_is_the_logit(network, batch):
    logits, features = network(batch)
    for c in range(5):
        maps = class_activation_map(features, network.fc.weight, c)
        assert maps.shape == (3, 3, 5)
        torch.testing.assert_close(maps.mean((1, 2)) + network.fc.bias[c], logits[:, c], **EXACT)


@torch.no_grad()
def test_a_1x1_convolution_with_the_heads_weights_is_the_map_plus_the_bias(network, batch):
    _, features = network(batch)
    scores = nn.functional.conv2d(features, network.fc.weight[:, :, None, None], network.fc.bias)
    classes = torch.arange(5).expand(3, 5)
    maps = class_activation_map(features, network.fc.weight, classes)
    torch.testing.assert_close(maps + network.fc.bias[:, None, None], scores, **EXACT)


@torch.no_grad()
def test_zeroing_a_cell_lowers_the_logit_by_its_share(network, batch):
    logits, features = network(batch)
    maps = class_activation_map(features, network.fc.weight, 2)
    without = features.clone()
    without[:, :, 1, 3] = 0
    lowered = network.fc(without.mean((2, 3)))[:, 2]
    torch.testing.assert_close(logits[:, 2] - lowered, maps[:, 1, 3] / 15, **EXACT)


@torch.no_grad()
def test_a_batch_equals_its_singles(network, batch):
    _, features = network(batch)
    maps = class_activation_map(features, network.fc.weight, [4, 0, 3])
    for i, c in enumerate([4, 0, 3]):
        _, single = network(batch[i : i + 1])
        torch.testing.assert_close(class_activation_map(single, network.fc.weight, c)[0], maps[i], **EXACT)
        torch.testing.assert_close(class_activation_map(single[0], network.fc.weight, c), maps[i], **EXACT)
    several = class_activation_map(features[0], network.fc.weight, [4, 1])
    assert several.shape == (2, 3, 5)
    torch.testing.assert_close(several[0], maps[0], **EXACT)


def test_a_network_that_picks_out_a_colour_has_that_colours_mask_as_its_map():
    """Channel k of the features is 1 where the pixel is pure colour k; the head names colour k by channel k."""
    mask = torch.zeros(7, 11, dtype=torch.bool)
    mask[2:5, 6:10] = True
    picture = torch.zeros(1, 3, 7, 11, dtype=torch.float64)
    picture[:, 0], picture[:, 2] = mask, ~mask  # red on blue
    first = nn.Conv2d(3, 3, 1, bias=False).double()
    first.weight.data = (2 * torch.eye(3).double() - 1)[:, :, None, None]  # k minus the others
    features = first(picture).relu()
    maps = class_activation_map(features, torch.eye(3, dtype=torch.float64), 0)
    assert torch.equal(maps[0] > 0, mask) and torch.equal(maps[0].detach(), mask.double())


def test_top_prediction_is_softmax():
    logits = torch.tensor([[0.0, 2.0, 0.0], [1.0, 1.0, 3.0]]).log1p()  # shares 1 : 3 : 1 and 2 : 2 : 4
    classes, probability = top_prediction(logits)
    assert classes.tolist() == [1, 2]
    torch.testing.assert_close(probability, torch.tensor([0.6, 0.5]))


@pytest.mark.parametrize(
    "classes, word",
    [
        (7, "7"),
        (-1, "-1"),
        ([0, 1], "batch of 3"),
        (1.0, "integer"),
        (torch.tensor([0, 1, 9]), "9"),
        (None, "not None"),
        ("dog", "not 'dog'"),
        (["dog"], "integer"),
        ([[0, 1], [2], [1]], "integer"),
        (True, "integer"),
    ],
)
def test_a_wrong_class_says_which(classes, word):
    with pytest.raises(CourseError, match=word):
        class_activation_map(torch.ones(3, 4, 2, 2), torch.ones(5, 4), classes)


def test_a_single_image_has_no_class_of_a_name():
    with pytest.raises(CourseError, match="not 'dog'"):
        class_activation_map(torch.ones(4, 2, 2), torch.ones(5, 4), "dog")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("of_weight", [None, torch.float32])
def test_half_precision_features(dtype, of_weight):
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 512, 3, 4, generator=generator).to(dtype)
    weight = torch.randn(5, 512, generator=generator).to(of_weight or dtype)
    maps = class_activation_map(features, weight, [0, 3])
    assert maps.dtype == torch.float32
    expected = class_activation_map(features.double(), weight.double(), [0, 3])
    torch.testing.assert_close(maps, expected.float(), rtol=1e-4, atol=1e-3)
    assert scale_to_unit(maps[0]).max() == 1


def test_shapes_that_do_not_fit():
    with pytest.raises(CourseError, match="do not fit"):
        class_activation_map(torch.ones(3, 4, 2, 2), torch.ones(5, 3), 0)


def test_nan_logits():
    with pytest.raises(CourseError, match="NaN"):
        top_prediction(torch.tensor([[0.0, float("nan")]]))
