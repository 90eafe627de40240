"""docs/instructors/common-mistakes.md: the checks say of the usual wrong answers what the page says that they do."""

import numpy as np
import pytest
import torch
from torch import nn

from core.files import ROOT
from core.photographs import normalise
from course import checks
from course.checks import CheckFailed
from course.notebooks import source as notebooks
from fcn.backbones import Trunk
from fcn.metrics import ConfusionMatrix
from residual.networks import ZeroPadded

PAGE = " ".join((ROOT / "docs" / "instructors" / "common-mistakes.md").read_text(encoding="utf-8").split())
TRUTH, PREDICTED = torch.tensor([[0, 0, 1], [1, 1, 1], [2, 2, 0]]), torch.tensor([[0, 1, 1], [1, 1, 2], [2, 0, 0]])
COUNTS = torch.tensor([[2.0, 1, 0], [0, 3, 1], [1, 0, 1]])
GIVEN = {
    "torch": torch,
    "nn": nn,
    "np": np,
    "seed": 0,
    "width": 0.125,
    "ConfusionMatrix": ConfusionMatrix,
    "Trunk": Trunk,
    "normalise": normalise,
    "ZeroPadded": ZeroPadded,
    **{name: getattr(checks, name) for name in checks.__all__},
}
SCORES = """hits = counts.diagonal()
pixel_accuracy = hits.sum() / counts.sum()
mean_accuracy = (hits / counts.sum(dim=1)).mean()
mean_iou = (hits / (counts.sum(dim=0) + counts.sum(dim=1))).mean()"""
BLOCKS = """def vgg16_blocks(width):
    layers = list(Trunk("vgg16", width, padding=100).features)
    layers[0] = nn.Conv2d(3, 8, 3, padding=1)
    return layers"""
BOUND = "def least_weighted_iou(accuracy):\n    return 2 * accuracy - 1"
FIELD = """def receptive_field(layers):
    field, step = 1, 1
    for kernel, stride in layers:
        step *= stride
        field += (kernel - 1) * step
    return field, step"""
SPREAD = """def spread(gradients):
    return (gradients - gradients.mean(dim=0)).square().sum(dim=1).mean().sqrt()"""
SHORTCUT = """def shortcut(x, channels):
    return nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, channels - x.shape[1], 0))"""
PREPARE = """def prepare(pixels):
    return ((torch.from_numpy(pixels).float() - 0.45) / 0.22).permute(2, 0, 1)"""
CUT = """def cut(pixels, label, top, left, side, mirrored):
    window = (slice(top, top + side), slice(left, left + side))
    return (pixels[window][:, ::-1] if mirrored else pixels[window]), label[window]"""
PADDING = """def same_padding(side, kernel, stride):
    return (kernel - 1) // 2, (kernel - 1) // 2"""


@pytest.mark.parametrize(
    "notebook, check, wrong",
    [
        ("01_facades", "01-18", "counts = COUNTS.T.contiguous()"),
        ("01_facades", "01-21", SCORES),
        ("02_fcn32s_scratch", "02-06", BLOCKS),
        ("06_cam", "06-06", PREPARE),
        ("08_plain_vs_residual", "08-09", SHORTCUT),
        ("08_plain_vs_residual", "08-29", SPREAD),
        ("10_fcn_backbones", "10-14", FIELD),
        ("11_fcn_skips", "11-06", BOUND),
        ("12_photographs", "12-11", PADDING),
        ("12_photographs", "12-15", CUT),
    ],
)
def test_the_check_says_what_the_page_says(notebook, check, wrong):
    values = GIVEN | {"COUNTS": COUNTS, "counts": COUNTS, "truth": TRUTH, "predicted": PREDICTED}
    cells = {cell.id: cell.source for cell in notebooks.read(notebooks.FOLDER / f"{notebook}.ipynb").cells}
    if check == "10-14":
        values["alexnet_layers"] = []
    exec(wrong, values)
    with pytest.raises(CheckFailed) as failed:
        exec(cells[check], values)
    assert f"| {failed.value} |" in PAGE
