"""The two networks of notebook 7: what the course brings, and how they are trained."""

import pytest
import torch

from cam.experiment import TEST_SEED, accuracy
from core.errors import CourseError
from course.small_pair import SHORTCUTS, load, small_pictures, train


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
    with pytest.raises(CourseError, match="no network of seed 9; train it with course pretrain plain14 --seed 9"):
        load("plain14", 9)


def test_the_same_seed_gives_the_same_network():
    short = {"count": 100, "epochs": 2, "batch_size": 25}
    first, second = (train("residual14", 1, **short).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(
        not torch.equal(first[name], value) for name, value in train("residual14", 2, **short).state_dict().items()
    )
