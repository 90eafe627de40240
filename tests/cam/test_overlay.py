"""Overlays held against hand-made cases."""

import matplotlib
import numpy as np
import pytest
import torch

from cam.overlay import map_on_photograph, overlay, overlay_figure, scale_to_unit
from cam.view import View
from core.errors import CourseError
from fcn.geometry import Grid


@pytest.fixture
def photograph() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def test_scaling_is_linear():
    assert scale_to_unit(np.array([[-2.0, 0.0], [1.0, 2.0]])).tolist() == [[0, 0.5], [0.75, 1]]


def test_a_flat_map_stays_flat_and_a_faint_one_does_not():
    noise = np.random.default_rng(0).normal(size=(7, 7))
    assert not scale_to_unit(3 + 1e-6 * noise).any()
    assert not scale_to_unit(1e-30 * (3 + 1e-6 * noise)).any()  # relative to the values, not to 1
    assert not scale_to_unit(np.array([[5.0]])).any() and not scale_to_unit(np.zeros((2, 2))).any()
    assert scale_to_unit(1e-30 * noise).max() == 1


def test_maps_without_numbers_are_refused():
    for bad in (np.full((2, 2), np.nan), np.array([[0.0, np.inf]])):
        with pytest.raises(CourseError, match="no numbers"):
            scale_to_unit(bad)


def test_alpha_0_gives_the_photograph_and_1_the_colours(photograph):
    heat = np.linspace(0, 1, 54).reshape(6, 9)
    for colours in ("jet", "inferno"):
        assert np.array_equal(overlay(photograph, heat, 0.0, colours), photograph)
        expected = matplotlib.colormaps[colours](heat, bytes=True)[..., :3]
        assert np.abs(overlay(photograph, heat, 1.0, colours).astype(int) - expected).max() <= 1  # its bytes truncate


def test_half_alpha_is_the_rounded_mean_of_photograph_and_colour():
    photograph = np.array([[[0, 101, 255]]], np.uint8)
    top = np.array(matplotlib.colormaps["jet"](1.0)[:3]) * 255  # dark red: 127.5, 0, 0
    blended = overlay(photograph, np.array([[1.0]]), 0.5)
    assert top.tolist() == [127.5, 0, 0] and blended.tolist() == [[[64, 50, 128]]]  # 63.75, 50.5 and 127.5, to even


def test_where_the_network_did_not_look_the_photograph_stays(photograph):
    heat = np.full((6, 9), 0.5)
    heat[:, :2] = np.nan
    blended = overlay(photograph, heat, 0.7)
    assert np.array_equal(blended[:, :2], photograph[:, :2])
    assert not np.array_equal(blended[:, 2:], photograph[:, 2:])


def test_a_map_lands_on_the_photographs_pixels_through_crop_and_resize():
    """A view of 8 × 8 photograph pixels seen as 4 × 4 with one cell per pixel: a cell covers 2 × 2 pixels."""
    cells = torch.zeros(4, 4)
    cells[1, 2] = 1
    view = View(left=3, top=2, side=8, size=4)
    placed = map_on_photograph(cells, Grid(), view, (12, 20))
    seen = ~np.isnan(placed)
    assert seen[2:10, 3:11].all() and seen.sum() == 64
    rows, columns = np.mgrid[:12, :20]
    weight = np.nan_to_num(placed)
    # cell (1, 2) covers rows 4–5 and columns 7–8 of the photograph: its middle is at 4.5 and 7.5
    assert (weight * rows).sum() / weight.sum() == pytest.approx(4.5)
    assert (weight * columns).sum() / weight.sum() == pytest.approx(7.5)


@pytest.mark.parametrize(
    "heat, alpha, word",
    [
        (np.zeros((5, 9)), 0.5, "doesn't lie on"),
        (np.zeros((6, 9)), 2, "0 and 1"),
        (np.full((6, 9), 3.0), 0.5, "0 and 1"),
    ],
)
def test_wrong_arguments(photograph, heat, alpha, word):
    with pytest.raises(CourseError, match=word):
        overlay(photograph, heat, alpha)


def test_the_figure_has_caption_and_colour_bars(photograph):
    figure = overlay_figure(photograph, np.zeros((6, 9)), "tabby, 0.83")
    titles = [axes.get_title() for axes in figure.axes]
    assert sum("tabby, 0.83" in title for title in titles) == 2
    assert [axes.get_ylabel() for axes in figure.axes].count("map, scaled to 0–1") == 2
