"""The network that has learned from scenes: it reads scenes of digits that it has not seen."""

import pytest

from core.errors import CourseError
from fcn.digits.data import load_digits
from fcn.digits.experiment import VALIDATION_SEED, network_scores
from fcn.digits.scene_reader import load
from fcn.digits.scenes import grids, hard_scenes


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_finds_ink_and_names_digits_in_scenes_of_held_out_digits(seed):
    digits = load_digits("builtin").validation
    kinds = {"grid": grids(digits, 20, VALIDATION_SEED), "hard": hard_scenes(digits, 20, VALIDATION_SEED)}
    model = load("builtin", seed)
    scores = network_scores(model, kinds)
    assert not model.training and scores["grid"]["digit_mean_iou"] > 0.85
    assert scores["hard"]["digit_mean_iou"] > 0.5 and scores["hard"]["ink_iou"] > 0.7


def test_mnists_is_the_courses_own_and_another_seed_is_told():
    assert load("mnist", 1).name == "fcn8"
    with pytest.raises(CourseError, match="no network of seed 7; choose 0, 1 or 2"):
        load("builtin", 7)
