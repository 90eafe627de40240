"""Batches, scores and the baseline, held against what they must be; training by tolerance."""

from itertools import islice

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, jaccard_score

from fcn.digits.baseline import _as_mnist, scene_baseline, single_baseline
from fcn.digits.data import Digits, load_digits
from fcn.digits.experiment import Steps, train_network
from fcn.digits.networks import DigitClassifier
from fcn.digits.scenes import BACKGROUND, THRESHOLD, Scenes, grids, hard_scenes, single_digits
from fcn.digits.training import (
    classify,
    digit_batches,
    fit,
    grid_batches,
    scene_batches,
    score,
    segment,
    single_batches,
)


@pytest.fixture(scope="module")
def digits() -> Digits:
    return load_digits("builtin").train.first(300)


@pytest.fixture(scope="module")
def classifier(digits) -> DigitClassifier:
    torch.manual_seed(0)
    model = DigitClassifier()
    losses = fit(model, digit_batches(digits, 0), 40, "test")
    assert losses[-1] < 0.3 * losses[0] and not model.training
    return model


class Oracle(torch.nn.Module):
    """Tells ten filled rectangles apart by their height: 10 to 19 rows become 0 to 9."""

    def __init__(self) -> None:
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(1))

    def forward(self, images):
        heights = (images[:, 0] > 0.5).any(dim=2).sum(dim=1)
        return torch.nn.functional.one_hot((heights - 10).clamp(0, 9), 10).float()


def test_a_pass_shows_each_digit_once_and_labels_follow_the_pixels(digits):
    batches = digit_batches(digits, 3)
    sizes, labels = [], []
    while sum(sizes) < len(digits):
        images, of_batch = next(batches)
        assert images.shape[1:] == (1, 28, 28) and 0 <= images.min() and images.max() <= 1
        sizes.append(len(images))
        labels.append(of_batch)
    assert np.array_equal(np.sort(torch.cat(labels)), np.sort(digits.labels))
    images, masks = next(single_batches(digits, 3))
    first, of_first = next(digit_batches(digits, 3))
    assert torch.equal(images, first)
    assert torch.equal(masks != BACKGROUND, images[:, 0] > THRESHOLD)
    assert torch.equal(masks.amin(dim=(1, 2)), of_first)


def test_scene_batches_hold_both_kinds_and_repeat(digits):
    batches = list(islice(scene_batches(digits, 1), 2))
    images, masks = batches[0]
    assert images.shape == (16, 1, 56, 84) and masks.shape == (16, 56, 84)
    black = (images[:, 0] == 0).float().mean(dim=(1, 2))
    assert (black[:4] > 0.5).all() and (black[4:] < 0.5).all()  # clean, then hard
    assert not torch.equal(images, batches[1][0])
    assert all((image == 0).float().mean() > 0.5 for image in next(grid_batches(digits, 1))[0])
    again = next(scene_batches(digits, 1))
    assert torch.equal(again[0], images) and torch.equal(again[1], masks)


def test_scores_are_scikit_learns():
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 11, (4, 9, 7)).astype(np.uint8)
    predicted = np.where(generator.random(truth.shape) < 0.7, truth, 3).astype(np.int64)
    figures = score(predicted, Scenes(truth.astype(np.float32), truth))
    per_class = jaccard_score(truth.ravel(), predicted.ravel(), average=None)
    assert figures["pixel_accuracy"] == pytest.approx(accuracy_score(truth.ravel(), predicted.ravel()))
    assert figures["mean_iou"] == pytest.approx(per_class.mean())
    assert figures["digit_mean_iou"] == pytest.approx(per_class[:10].mean())
    assert figures["ink_iou"] == pytest.approx(jaccard_score(truth.ravel() < 10, predicted.ravel() < 10))


def test_the_baseline_is_perfect_if_the_classifier_is():
    """Filled rectangles of ten heights: with a perfect classifier only the threshold is left, and that is right."""
    images = np.zeros((10, 28, 28), np.uint8)
    for label in range(10):
        images[label, 2 : 12 + label, 4:14] = 255
    squares = Digits(images, np.arange(10))
    single = single_digits(squares)
    assert score(single_baseline(Oracle(), single.images), single)["mean_iou"] == 1
    scenes = grids(squares, 20, 0)
    predicted = scene_baseline(Oracle(), scenes.images, otsu=False)
    assert np.array_equal(predicted != BACKGROUND, scenes.masks != BACKGROUND)
    # Each patch is scaled to MNIST's box, so heights are lost: the patch itself must have one class throughout.
    for mask, found in zip(scenes.masks, predicted):
        assert all(len(np.unique(found[mask == label])) == 1 for label in np.unique(mask))


def test_otsu_finds_dark_ink_too(classifier, digits):
    clean = grids(digits, 3, 4)
    bright = scene_baseline(classifier, clean.images, otsu=True)
    dark = scene_baseline(classifier, 1 - clean.images, otsu=True)
    assert np.mean(bright == dark) > 0.98 and (bright != BACKGROUND).mean() > 0.1
    blank = np.full((1, 56, 84), 0.5, np.float32)
    assert (scene_baseline(classifier, blank, otsu=True) == BACKGROUND).all()


def test_a_patch_is_fitted_as_mnist_fits_it():
    patch = np.ones((10, 5), np.float32)
    image = _as_mnist(patch)
    rows, columns = np.nonzero(image > 0.5)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 23, 9, 18)


def test_a_network_learns_from_single_digits_and_then_from_scenes(digits, classifier):
    stages = train_network("fcn8", classifier, digits, Steps(classifier=0, single=30, scenes=16, grids=1), seed=0)
    scenes = single_digits(digits.first(60))
    stage, model, losses = next(stages)
    before = score(segment(model, scenes.images), scenes)
    assert stage == "single digits" and losses[-1] < 0.6 * losses[0] and before["mean_iou"] > 0.09
    hard = hard_scenes(digits, 10, 9)
    untrained = score(segment(model, hard.images), hard)["pixel_accuracy"]
    stage, model, _ = next(stages)
    assert stage == "scenes" and score(segment(model, hard.images), hard)["pixel_accuracy"] > untrained
    assert next(stages)[0] == "grids" and next(stages, None) is None


def test_classes_of_no_images(classifier):
    assert classify(classifier, np.zeros((0, 28, 28), np.float32)).shape == (0,)
