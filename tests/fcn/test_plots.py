"""fcn.plots: the palette's distances as colour-blind eyes see them, and figures that hold what they should."""

import itertools

import matplotlib.colors
import numpy as np
import pytest
import torch

from core.photographs import normalise
from fcn import plots
from fcn.dataset import CLASSES, VOID
from fcn.voc import VOC_CLASSES

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009).
EYES = {
    "normal": np.eye(3),
    "deuteranope": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protanope": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}


def cielab(linear_rgb: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear_rgb @ to_xyz.T / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


@pytest.mark.parametrize("eyes", EYES)
def test_class_colours_can_be_told_apart(eyes):
    """A CIELAB distance of 2.3 is just noticeable; small patches far apart on the page need many times that."""
    rgb = np.array([matplotlib.colors.to_rgb(colour) for colour in plots.CLASS_COLOURS])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    lab = cielab(np.clip(linear @ np.transpose(EYES[eyes]), 0, 1))
    assert len(lab) == len(VOC_CLASSES) > len(CLASSES)
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(lab, 2)) > 20


def test_label_map_in_colours():
    label = torch.tensor([[0, 11], [VOID, -1]])
    expected = [matplotlib.colors.to_rgb(c) for c in (plots.CLASS_COLOURS[0], plots.CLASS_COLOURS[11], "w", "w")]
    assert np.allclose(plots.colourise(label).reshape(4, 3) / 255, expected)


def test_errors_are_black_and_void_white():
    shown = plots.errors(torch.tensor([[1, 2, 3]]), torch.tensor([[1, 1, VOID]]))
    assert shown[0, :, 0].tolist() == [225, 0, 255]


def test_overlay_at_alpha_0_is_the_photograph():
    pixels = torch.randint(0, 256, (5, 7, 3), dtype=torch.uint8)
    shown = plots.overlay(normalise(pixels.numpy()), torch.zeros(5, 7, dtype=torch.int64), alpha=0)
    assert np.abs(shown * 255 - pixels.numpy()).max() < 1e-3


def test_prediction_sheet_has_a_row_a_photograph_and_all_panels():
    image, label = torch.zeros(3, 8, 9), torch.zeros(8, 9, dtype=torch.int64)
    figure = plots.prediction_sheet([image] * 2, [label] * 2, {"a": [label] * 2, "b": [label] * 2})
    assert [axis.get_title() for axis in figure.axes[:6]] == [
        "image",
        "truth",
        "a",
        "errors (black)",
        "b",
        "errors (black)",
    ]
    assert len(figure.axes) == 12
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(CLASSES)


def test_legend_of_many_classes_lists_those_that_occur():
    image, label = torch.zeros(3, 8, 9), torch.full((8, 9), 15)
    label[0] = VOID
    figure = plots.prediction_sheet([image], [label], {"a": [torch.zeros(8, 9, dtype=torch.int64)]}, VOC_CLASSES)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["background", "person"]
