"""Scores without the label maps that a look at the photographs contradicts."""

import torch

from fcn import doubtful
from fcn.dataset import CMPFacade
from fcn.doubtful import doubtful_labels, without_doubtful
from fcn.metrics import ConfusionMatrix


def matrices(count):
    found = []
    for number in range(count):
        matrix = ConfusionMatrix(12)
        matrix.update(torch.tensor([number % 12] * (number + 1)), torch.tensor([0] * (number + 1)))
        found.append(matrix)
    return found


def test_each_says_what_is_wrong_with_it():
    listed = doubtful_labels()
    assert len(listed) >= 5 and "extended/cmp_x0173.jpg" in listed
    assert all(len(why.split()) > 4 for why in listed.values())


def test_those_listed_are_left_out(small_facades, monkeypatch):
    train = CMPFacade(small_facades, "train")
    monkeypatch.setattr(
        doubtful, "doubtful_labels", lambda: {train.name(1): "all wrong", "extended/x.jpg": "elsewhere"}
    )
    kept = without_doubtful(train, matrices(6))
    # By hand: images of 1 to 6 pixels, of which the second, with two, is left out; only the first has all right.
    assert kept.counts.sum() == 21 - 2 and kept.pixel_accuracy() == 1 / 19
    assert without_doubtful(CMPFacade(small_facades, "val"), matrices(2)) is None


def test_the_list_is_of_test_photographs(real_facades):
    test = CMPFacade(real_facades, "test")
    assert doubtful_labels().keys() <= {test.name(index) for index in range(len(test))}
