"""What the check cells call: the student's work held against `fcn`, with messages that name the mistake."""

import copy
import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from course.checks.expectations import CheckFailed, expect, expect_close, short
from fcn.backbones import Trunk
from fcn.geometry import Grid
from fcn.layers import BilinearUpsampling, LearnedUpsampling, ScoreLayer
from fcn.models import FCN

VGG16_NAMES = (
    *("conv1_1", "conv1_2", "pool1", "conv2_1", "conv2_2", "pool2", "conv3_1", "conv3_2", "conv3_3", "pool3"),
    *("conv4_1", "conv4_2", "conv4_3", "pool4", "conv5_1", "conv5_2", "conv5_3", "pool5"),
)


def check_layers(layers: Iterable[nn.Module], reference: Iterable[nn.Module], names: Iterable[str]) -> None:
    """Holds convolutions and poolings, in order, against the reference's; other layers are looked at by kind alone."""
    found, expected, names = _flat(layers), _flat(reference), iter(names)
    kinds = [type(layer) for layer in found], [_plain_kind(layer) for layer in expected]
    for number, (layer, wanted) in enumerate(zip(found, expected), start=1):
        kind = _plain_kind(wanted)
        name = next(names) if kind in (nn.Conv2d, nn.MaxPool2d) else kind.__name__
        expect(
            isinstance(layer, kind),
            f"Layer {number} ({name}) is a {type(layer).__name__}; it should be a {kind.__name__}.",
        )
        for attribute in ("in_channels", "out_channels", "kernel_size", "stride", "padding", "ceil_mode"):
            if hasattr(wanted, attribute):
                has, needs = (_side(getattr(one, attribute)) for one in (layer, wanted))
                expect(has == needs, f"Layer {number} ({name}) has {attribute} {has}; it should be {needs}.")
    expect(len(kinds[0]) == len(kinds[1]), f"There are {len(found)} layers; there should be {len(expected)}.")


def check_bilinear(weight: Tensor, stride: int) -> None:
    """Holds the weight of a transposed convolution against bilinear interpolation of each class by itself."""
    classes, kernel = weight.shape[0], weight.shape[-1]
    expected = LearnedUpsampling(classes, 2 * stride, stride).weight
    expect(
        weight.shape == expected.shape,
        f"The weight has the shape {tuple(weight.shape)}; it should be {tuple(expected.shape)}.",
    )
    off_diagonal = weight[~torch.eye(classes, dtype=torch.bool)]
    expect(off_diagonal.abs().max() == 0, "A class is upsampled into another one; only weight[c, c] may differ from 0.")
    profile, wanted = weight[0, 0, kernel // 2 - 1], expected[0, 0, kernel // 2 - 1]
    expect(
        torch.allclose(weight, expected, atol=1e-6),
        f"Row {kernel // 2 - 1} of the kernel begins {short(profile[:3])} and peaks at {short(profile.max())}; "
        f"it should begin {short(wanted[:3])} and peak at {short(wanted.max())}.",
    )


def check_transplant(trunk: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Holds a VGG-16 trunk's weights against the classifier's they were taken from, and both ways of computing fc6."""
    for key, value in trunk.named_parameters():
        expected = state[key]
        if torch.equal(value.flatten(), expected.flatten()):
            continue
        if key == "classifier.0.weight":
            outputs, inputs, side, _ = value.shape
            mixed = expected.view(outputs, side, side, inputs).permute(0, 3, 1, 2)
            expect(
                not torch.equal(value, mixed),
                "fc6's weight was read as (outputs, 7, 7, inputs); torch flattens a "
                "map channel by channel, so it is (outputs, inputs, 7, 7).",
            )
        raise CheckFailed(f"{key} is not the classifier's yet.")
    layer = trunk.classifier[0]
    side = layer.kernel_size[0]
    cell = torch.randn(1, layer.in_channels, side, side, generator=torch.Generator().manual_seed(0))
    as_linear = cell.flatten(1) @ state["classifier.0.weight"].T + state["classifier.0.bias"]
    as_convolution = nn.functional.conv2d(cell, layer.weight, layer.bias)[..., 0, 0]
    expect_close(as_convolution, as_linear, "fc6 as a convolution", tolerance=1e-3)


def check_same_block(student: nn.Module, reference: nn.Module, image: Tensor) -> None:
    """A student's block against a reference with the same layers under other names: same weights in, same scores out.

    Args:
        student, reference: stay as they are; their weights and running statistics are matched in order.
        image: an input of both.
    """
    student, reference = copy.deepcopy(student).eval(), copy.deepcopy(reference).eval()
    mine, theirs = student.state_dict(), reference.state_dict()
    shapes = [[tuple(value.shape) for value in state.values()] for state in (mine, theirs)]
    for number, (name, found, wanted) in enumerate(zip(mine, *shapes), start=1):
        expect(found == wanted, f"Tensor {number} ({name}) has the shape {found}; it should be {wanted}.")
    expect(
        len(shapes[0]) == len(shapes[1]),
        f"The block has {len(shapes[0])} tensors; it should have {len(shapes[1])}: is a layer missing, or has a "
        "convolution a bias that batch normalisation makes useless?",
    )
    student.load_state_dict(dict(zip(mine, theirs.values())))
    with torch.no_grad():
        found, expected = student(image), reference(image)
    expect(
        found.shape == expected.shape,
        f"It gives scores of the shape {tuple(found.shape)}; they should be {tuple(expected.shape)}: look at stride "
        "and padding of the depthwise convolution.",
    )
    difference = ((found - expected).abs().max() / expected.abs().max()).item()
    expect(
        difference < 1e-4,
        f"With the same weights the scores differ by up to {difference:.0%} of their largest; look at what is done "
        "between the layers, and after the last one.",
    )


def check_same_scores(student: nn.Module, reference: FCN) -> None:
    """Same weights in, same scores out: the student's network against the course's, on an image of odd size.

    Both networks stay as they are: copies of them are compared.

    Args:
        student: its layers have the reference's names; its padding is the paper's 100.
        reference: the course's network of the same width and padding.
    """
    student, reference = copy.deepcopy(student).eval(), copy.deepcopy(reference).eval()
    generator = torch.Generator().manual_seed(0)
    for name, layer in reference.named_children():
        expect(hasattr(student, name), f"The network has no layer called {name}.")
        source, target = list(getattr(student, name).parameters()), list(layer.parameters())
        if not target:  # the last upsampling has no weights
            continue
        expect(
            [p.shape for p in source] == [p.shape for p in target],
            f"{name} has weights of the shapes {[tuple(p.shape) for p in source]}; "
            f"they should be {[tuple(p.shape) for p in target]}.",
        )
        with torch.no_grad():
            for p, q in zip(source, target):
                if name.startswith("score"):  # they start at zero, which would hide every mistake
                    p.copy_(torch.randn(p.shape, generator=generator) * 0.1)
                q.copy_(p)
    image = torch.randn(1, 3, 75, 118, generator=generator)
    with torch.no_grad():
        found, expected = student(image), reference(image)
    expect(
        found.shape == expected.shape,
        f"An image of 75 x 118 pixels gives scores of the shape "
        f"{tuple(found.shape)}; they should be {tuple(expected.shape)}: (batch, classes, height, width).",
    )
    if torch.allclose(found, expected, rtol=1e-3, atol=1e-4 * expected.abs().max().item()):
        return
    raise CheckFailed(_explain_difference(found, expected))


def check_same_start(coarse: FCN, fine: FCN) -> None:
    """A finer network's scores against the coarser one's at the finer one's cells, with score layers drawn anew.

    Bilinear interpolation in two steps passes through the values of one step at every cell between, so the two are
    the same there, to rounding. Both networks are left as they were.
    """
    generator = torch.Generator().manual_seed(0)
    coarse, fine = copy.deepcopy(coarse).eval(), copy.deepcopy(fine).eval()
    with torch.no_grad():
        for name, layer in coarse.named_children():
            if isinstance(layer, ScoreLayer):
                for parameter in layer.parameters():
                    parameter.copy_(torch.randn(parameter.shape, generator=generator))
                getattr(fine, name).load_state_dict(layer.state_dict())
        image = torch.randn(1, 3, 160, 224, generator=generator)
        expected, kept = coarse(image), []
        upsampling = next(layer for layer in fine.children() if isinstance(layer, BilinearUpsampling))
        upsampling.register_forward_hook(lambda layer, inputs, output: kept.append(inputs[0]))
        fine(image)
    # The pixel of the kept scores' cell 0; a cell between two pixels is halfway between their values.
    first, stride = upsampling.cells.start, int(upsampling.cells.step)
    skipped = math.ceil(max(-first, 0) / stride)
    first += skipped * stride
    between = 1 if first.is_integer() else 2
    expected = functional.avg_pool2d(expected[..., int(first) :, int(first) :], between, stride)
    found = kept[0][..., skipped:, skipped:][..., : expected.shape[-2], : expected.shape[-1]]
    difference = (
        (found - expected[..., : found.shape[-2], : found.shape[-1]]).abs().max() / expected.abs().max()
    ).item()
    expect(
        difference < 1e-4,
        f"At its cells the finer network's first scores differ from the coarser one's by "
        f"{difference:.0%} of the largest; every layer of the coarser network goes into the finer one, and the new "
        "score layer stays at zero.",
    )


def _explain_difference(found: Tensor, expected: Tensor) -> str:
    """Whether the scores are right but lie elsewhere, and by how many pixels."""
    reach = range(-56, 57)
    scale = expected.abs().max()
    for down in reach:
        for right in reach if abs(down) < 3 else (0, down):
            ours, theirs = _overlap(found, down, right), _overlap(expected, -down, -right)
            if torch.allclose(ours, theirs, rtol=1e-3, atol=1e-4 * scale.item()):
                vertical = f"{abs(down)} pixels too {'low' if down > 0 else 'high'}"
                horizontal = f"{abs(right)} pixels too far {'right' if right > 0 else 'left'}"
                where = " and ".join([vertical] * (down != 0) + [horizontal] * (right != 0))
                return f"The scores are right but lie {where}; a crop starts at the wrong row or column."
    difference = (found - expected).abs().max() / scale
    return (
        f"With the same weights the scores differ by up to {difference:.0%} of their largest; look at the order of "
        "the layers, at the activations between them and at the crops of what is summed."
    )


def _overlap(scores: Tensor, down: int, right: int) -> Tensor:
    rows = slice(max(down, 0), scores.shape[-2] + min(down, 0))
    columns = slice(max(right, 0), scores.shape[-1] + min(right, 0))
    return scores[..., rows, columns]


def _flat(layers: Iterable[nn.Module]) -> list[nn.Module]:
    return [leaf for layer in layers for leaf in layer.modules() if not list(leaf.children())]


def _plain_kind(layer: nn.Module) -> type[nn.Module]:
    return nn.Conv2d if isinstance(layer, nn.Conv2d) else type(layer)


def _side(value: object) -> object:
    return value[0] if isinstance(value, tuple) else value


def crops(trunk: Trunk) -> tuple[int, int, int]:
    """Cells to cut off at the top and left of pool4's scores, of pool3's scores and of the last map, in FCN-8s.

    Args:
        trunk: VGG-16's, with some padding.
    """
    pool3, pool4, fc7 = trunk.grids
    twice = fc7.upsample(4, 2)
    four_times = twice.upsample(4, 2)
    return pool4.cells_to(twice), pool3.cells_to(four_times), four_times.upsample(16, 8).cells_to(Grid())


def check_crops(trunk: Trunk, crop_pool4: int, crop_pool3: int, crop_image: int) -> None:
    """Holds the three crops of FCN-8s against where the trunk's cells lie."""
    found = {"crop_pool4": crop_pool4, "crop_pool3": crop_pool3, "crop_image": crop_image}
    for (name, value), right in zip(found.items(), crops(trunk)):
        expect(
            value == right,
            f"{name} is {value}, off by {value - right}; follow the grids of fc7, through each upsampling, to the map "
            "that is cropped.",
        )
