"""What the network sees held against torchvision's preset, and where its pixels came from."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models import ResNet18_Weights

from cam.view import View, centre_view, check_shows_something, look
from core.errors import CourseError
from core.files import ROOT
from core.photographs import read_photograph

CHELSEA = ROOT / "files" / "photographs" / "chelsea.png"


@pytest.mark.parametrize("shape, words", [((1, 1), "1 × 1"), ((1, 30), "30 × 1"), ((20, 30), "one colour")])
def test_what_shows_nothing_is_refused(shape, words):
    with pytest.raises(CourseError, match=words):
        check_shows_something(np.full((*shape, 3), 128, np.uint8), "dot.png")


def test_the_network_sees_what_torchvisions_preset_shows():
    photograph = read_photograph(CHELSEA)
    preset = ResNet18_Weights.IMAGENET1K_V1.transforms()(Image.fromarray(photograph))
    seen = look(photograph, centre_view(photograph))[0]
    assert seen.shape == preset.shape == (3, 224, 224)
    assert (seen - preset).abs().mean() < 0.03  # in units of the channels' deviation


def test_the_view_knows_where_its_pixels_came_from():
    """A white dot in the photograph is found again, from the pixel the network saw it at."""
    photograph = np.zeros((300, 500, 3), np.uint8)
    photograph[100:108, 200:208] = 255
    view = centre_view(photograph)
    bright = look(photograph, view)[0, 0].double()
    bright = bright - bright.min()
    at = (
        (bright.sum(0) * torch.arange(224)).sum() / bright.sum(),
        (bright.sum(1) * torch.arange(224)).sum() / bright.sum(),
    )
    middle_column = np.interp(203.5, np.arange(500), view.columns(500))
    middle_row = np.interp(103.5, np.arange(300), view.rows(300))
    assert at[0] == pytest.approx(middle_column, abs=0.05) and at[1] == pytest.approx(middle_row, abs=0.05)


def test_a_view_without_scaling_leaves_pixels_where_they_are():
    assert np.array_equal(View(left=10, top=0, side=20, size=20).columns(40), np.arange(40) - 10)


def test_a_long_thin_photograph_is_seen_at_once():
    thin = np.random.default_rng(0).integers(0, 256, (4, 20_000, 3), dtype=np.uint8)
    assert look(thin, centre_view(thin)).shape == (1, 3, 224, 224)
