"""fcn.models and fcn.backbones against torchvision and against the paper."""

import pytest
import torch
import torchvision
from torch import nn

from core.checkpoint import save_weights
from core.errors import CourseError
from fcn.backbones import Trunk
from fcn.models import FCN8s, FCN16s, FCN32s, WithMirror, from_weights

NETWORKS = (FCN32s, FCN16s, FCN8s)
BACKBONES = ("vgg16", "alexnet", "googlenet")


@pytest.mark.parametrize("name, millions", [("vgg16", 134.3), ("alexnet", 57.0), ("googlenet", 5.6)])
def test_published_parameter_counts(name, millions):
    trunk = Trunk(name, padding=100)
    assert sum(p.numel() for p in trunk.parameters()) / 1e6 == pytest.approx(millions, abs=0.05)


@pytest.mark.parametrize("name, padding", [("vgg16", 1), ("alexnet", 2), ("googlenet", 3)])
def test_a_trunk_is_torchvisions_classifier(name, padding):
    """At 224 × 224, with torchvision's weights as they are: the same logits before their last layer or behind it."""
    options = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    classifier = getattr(torchvision.models, name)(weights=None, **options).eval()
    trunk = Trunk(name, padding=padding).eval()
    trunk.load_classifier(classifier.state_dict())
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    last = classifier.fc if name == "googlenet" else classifier.classifier[6]
    with torch.inference_mode():
        found = last(trunk(image)[-1].mean(dim=(2, 3)))
        torch.testing.assert_close(found, classifier(image), rtol=1e-4, atol=1e-5)


def test_weights_that_do_not_fit_are_named():
    trunk = Trunk("vgg16", 0.125)
    state = dict(trunk.named_parameters())
    del state["features.0.weight"]
    with pytest.raises(CourseError, match="features.0.weight"):
        trunk.load_classifier(state)
    with pytest.raises(CourseError, match="module.features.0.bias"):
        trunk.load_classifier({f"module.{key}": value for key, value in state.items()})


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("padding", [100, "aligned"])
@pytest.mark.parametrize("network", NETWORKS)
def test_any_size(network, padding, backbone):
    model = network(num_classes=5, backbone=backbone, width=0.125, padding=padding).eval()
    with torch.inference_mode():
        for height, width in [(1, 1), (2, 33), (31, 65), (97, 64), (127, 1)]:
            assert model(torch.zeros(1, 3, height, width)).shape == (1, 5, height, width)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_pixel_gets_a_score(backbone):
    """The cells reach the last row and column: a constant score stays constant over the whole aligned output."""
    model = FCN8s(num_classes=2, backbone=backbone, width=0.125, padding="aligned").eval()
    nn.init.constant_(model.score_fr.bias, 3.0)
    with torch.inference_mode():
        for side in (1, 2, 30, 63, 64, 65, 95, 127):
            assert model(torch.zeros(1, 3, side, 5)).sub(3.0).abs().max() < 1e-5


@pytest.mark.parametrize("network", NETWORKS)
def test_scores_start_at_zero(network):
    model = network(width=0.125, padding="aligned").eval()
    assert model(torch.randn(1, 3, 50, 40)).abs().max() == 0


def test_score_layers_stay_in_float32_under_autocast():
    model = FCN8s(width=0.125, padding="aligned")
    seen = []
    for name, layer in model.named_children():
        if name != "trunk":
            layer.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        assert model.trunk(torch.randn(1, 3, 64, 64))[-1].dtype == torch.bfloat16
        model(torch.randn(1, 3, 64, 64)).sum().backward()
    assert seen == [torch.float32] * 6


def test_with_its_mirror_image_a_network_knows_no_left_and_right():
    torch.manual_seed(0)
    network = FCN32s(5, width=0.125, padding="aligned").eval()
    nn.init.normal_(network.score_fr.weight, std=0.1)
    image = torch.randn(2, 3, 33, 50)
    with torch.no_grad():
        alone, mirrored = network(image), network(image.flip(-1)).flip(-1)
        both = WithMirror(network)(image)
        torch.testing.assert_close(WithMirror(network)(image.flip(-1)), both.flip(-1))
    torch.testing.assert_close(both - alone, (mirrored - alone) / 2)
    assert (mirrored - alone).abs().max() > 0.01


def test_unknown_choices_say_what_there_is():
    with pytest.raises(CourseError, match='no backbone "vgg19"; did you mean "vgg16"'):
        FCN32s(backbone="vgg19")
    with pytest.raises(CourseError, match="aligned"):
        FCN32s(padding="same", width=0.125)
    with pytest.raises(CourseError, match="fraction"):
        FCN32s(width=0.3)


def test_a_layer_that_is_replaced_is_the_one_that_computes():
    """The trunk knows its layers by name; a list of them would keep the old one."""
    trunk, image = Trunk(width=0.125, padding="aligned").eval(), torch.randn(1, 3, 64, 64)
    before = trunk(image)[-1]
    trunk.features[0] = nn.Conv2d(3, 8, 3, padding=1)
    assert not torch.equal(trunk(image)[-1], before)


INVALID = [{"width": 0.3}, {"width": "wide"}, {"width": True}, {"backbone": "vgg99"}, {"num_classes": "a"}]
INVALID += [{"num_classes": -1}, {"padding": 10**30}, {"classes": ["wall"]}, {"classes": 12}]
TOO_LARGE = [{"width": 64}, {"num_classes": 10**9}, {"num_classes": 10**15}, {"width": 2.0**40}]


@pytest.mark.parametrize("change", [*INVALID, *TOO_LARGE])
@pytest.mark.parametrize("network", [FCN32s, FCN8s])
def test_weights_whose_header_describes_no_network(tmp_path, network, change):
    """Those of a network that isn't the file's are refused before memory is taken for it."""
    model = network(width=0.125, padding="aligned")
    save_weights(model, tmp_path / "w.safetensors", model.configuration | model.metadata | change)
    with pytest.raises(CourseError, match="has an invalid configuration|belong to another network") as raised:
        from_weights(tmp_path / "w.safetensors")
    assert "\n" not in str(raised.value)


def test_weights_come_back_with_their_network(tmp_path):
    model = FCN16s(3, width=0.125, padding="aligned").eval()
    model.metadata["classes"] = ["wall", "window", "door"]
    model.trunk.transform_input.fill_(True)
    nn.init.normal_(model.score_pool4.weight)
    save_weights(model, tmp_path / "w.safetensors")
    again, image = from_weights(tmp_path / "w.safetensors").eval(), torch.randn(1, 3, 33, 40)
    assert (again.configuration, again.metadata) == (model.configuration, model.metadata)
    assert torch.equal(again(image), model(image))


def test_inputs_of_imagenets_googlenet_are_torchvisions():
    theirs = torchvision.models.googlenet(weights=None, init_weights=False, aux_logits=False, transform_input=True)
    trunk, image = Trunk("googlenet", padding="aligned"), torch.randn(2, 3, 64, 64)
    seen = []
    trunk.transform_input.fill_(True)
    trunk.conv1.register_forward_hook(lambda layer, given, output: seen.append(given[0]))
    trunk(image)
    torch.testing.assert_close(seen[0][..., :64, :64], theirs._transform_input(image))
