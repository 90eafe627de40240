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


@pytest.mark.parametrize("name, layer", [("vgg16", 5), ("alexnet", 5)])
def test_convolutionised_classifier_is_torchvisions(name, layer):
    """At 224 x 224 the former linear layers give torchvision's fc7 features, with its weights as they are."""
    classifier = getattr(torchvision.models, name)(weights=None).eval()
    trunk = Trunk(name, padding={"vgg16": 1, "alexnet": 2}[name]).eval()
    trunk.load_classifier(classifier.state_dict())
    image = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        features = classifier.avgpool(classifier.features(image)).flatten(1)
        expected = classifier.classifier[: layer + 1](features)
        *_, found = trunk(image)
    assert found.shape[-2:] == (1, 1)
    torch.testing.assert_close(found[..., 0, 0], expected, rtol=1e-4, atol=1e-4)


def test_googlenet_trunk_is_torchvisions():
    classifier = torchvision.models.googlenet(weights=None, init_weights=False, aux_logits=False).eval()
    trunk = Trunk("googlenet", padding=3).eval()
    trunk.load_classifier(classifier.state_dict())
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = classifier(image)
        found = classifier.fc(trunk(image)[-1].mean(dim=(2, 3)))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_weights_that_do_not_fit_are_named():
    state = torchvision.models.vgg16(weights=None).state_dict()
    del state["features.0.weight"]
    with pytest.raises(CourseError, match="features.0.weight"):
        Trunk("vgg16").load_classifier(state)
    with pytest.raises(CourseError, match="module.features.0.bias"):
        Trunk("vgg16").load_classifier({f"module.{key}": value for key, value in state.items()})


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
    nn.init.constant_(model.score.bias, 3.0)
    with torch.inference_mode():
        for side in (1, 2, 30, 63, 64, 65, 95, 127):
            assert model(torch.zeros(1, 3, side, 5)).sub(3.0).abs().max() < 1e-5


@pytest.mark.parametrize("network", NETWORKS)
def test_scores_start_at_zero(network):
    model = network(width=0.125, padding="aligned").eval()
    assert model(torch.randn(1, 3, 50, 40)).abs().max() == 0


@pytest.mark.parametrize("padding", [100, "aligned"])
def test_finer_network_starts_from_the_coarser_ones_prediction(padding):
    """With zero skip scores, 2 x 16 and 2 x 2 x 8 bilinear upsampling is 32-fold bilinear away from the border."""
    torch.manual_seed(0)
    coarse = FCN32s(width=0.125, padding=padding).eval()
    nn.init.normal_(coarse.score.weight)
    image = torch.randn(1, 3, 256, 256)
    expected = coarse(image)
    for network in (FCN16s, FCN8s):
        fine = network(width=0.125, padding=padding).eval()
        missing, unexpected = fine.load_state_dict(coarse.state_dict(), strict=False)
        assert not unexpected and all("skip" in key or "upsamplings" in key for key in missing)
        # Interpolating in two steps differs from one step within a cell, by a fraction of the scores' range.
        assert (fine(image) - expected).abs().mean() < 0.02 * expected.abs().max()
        agree = (fine(image).argmax(1) == expected.argmax(1)).float().mean()
        assert agree > 0.95


def test_score_layers_stay_in_float32_under_autocast():
    model = FCN8s(width=0.125, padding="aligned")
    seen = []
    for layer in (model.score, *model.skip_scores, model.upsample):
        layer.register_forward_hook(lambda module, inputs, output: seen.append((inputs[0].dtype, output.dtype)))
    with torch.autocast("cpu", torch.bfloat16):
        model(torch.randn(1, 3, 64, 64)).sum().backward()
    assert seen == [(torch.float32, torch.float32)] * 4


def test_with_its_mirror_image_a_network_knows_no_left_and_right():
    torch.manual_seed(0)
    network = FCN32s(5, width=0.125, padding="aligned").eval()
    nn.init.normal_(network.score.weight, std=0.1)
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
    """The trunk's stages are found by name each time; a list of its own would keep the old layer."""
    model = FCN8s(width=0.125, padding="aligned").eval()
    torch.nn.init.ones_(model.score.bias)
    image = torch.randn(1, 3, 64, 64)
    before = model.trunk(image)[-1]
    model.trunk.features[0] = torch.nn.Conv2d(3, 8, 3, padding=1)
    assert not torch.equal(model.trunk(image)[-1], before)


@pytest.mark.parametrize("change", [{"width": 0.3}, {"width": "wide"}, {"backbone": "vgg99"}, {"other": 1}])
def test_weights_whose_header_describes_no_network(tmp_path, change):
    model = FCN32s(width=0.125, padding="aligned")
    save_weights(model, tmp_path / "w.safetensors", model.configuration | change)
    with pytest.raises(CourseError, match="says of its network what can't be"):
        from_weights(tmp_path / "w.safetensors")


def test_inputs_of_imagenets_googlenet_are_torchvisions():
    theirs = torchvision.models.googlenet(weights=None, init_weights=False, aux_logits=False, transform_input=True)
    trunk, image = Trunk("googlenet", padding="aligned"), torch.randn(2, 3, 64, 64)
    seen = []
    trunk.transform_input = True
    trunk.conv1.register_forward_hook(lambda layer, given, output: seen.append(given[0]))
    trunk(image)
    torch.testing.assert_close(seen[0][..., :64, :64], theirs._transform_input(image))
