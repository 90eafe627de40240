"""The two networks of notebook 7: what the course brings."""

import pytest

from cam.experiment import TEST_SEED, accuracy
from core.errors import CourseError
from course.small_pair import SHORTCUTS, load, small_pictures


def test_they_name_patterns_that_they_have_not_seen_and_differ_in_their_shortcuts_alone():
    test = small_pictures(120, TEST_SEED + 1)  # not the pictures that notebook 7 scores
    for seed in (0, 1, 2):
        plain, residual = (load(name, seed) for name in SHORTCUTS)
        assert min(accuracy(plain, test), accuracy(residual, test)) > 0.9 and not plain.training
        assert {k: v.shape for k, v in plain.state_dict().items()} == {
            k: v.shape for k, v in residual.state_dict().items()
        }
        assert plain.configuration["shortcut"] == "none" and residual.configuration["shortcut"] == "identity"


def test_a_seed_that_nobody_trained_is_told():
    with pytest.raises(CourseError, match="no network of seed 9; choose 0, 1 or 2"):
        load("plain14", 9)
