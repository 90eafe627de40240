"""Scenes are what they say, pixel by pixel."""

import cv2
import numpy as np
import pytest

from core.plotting import CLASS_COLOURS
from fcn.digits.data import SIDE, Digits, load_digits
from fcn.digits.plots import DIGIT_COLOURS, colourise_digits, sheet
from fcn.digits.scenes import BACKGROUND, SIZE, THRESHOLD, grids, hard_scenes, ink_box, single_digits


@pytest.fixture(scope="module")
def digits() -> Digits:
    return load_digits("builtin").train


@pytest.fixture
def squares() -> Digits:
    """Ten "digits" that are full squares of 8 to 17 pixels: places and labels can be read off a scene."""
    images = np.zeros((10, SIDE, SIDE), np.uint8)
    for label in range(10):
        images[label, 3 : 11 + label, 5 : 13 + label] = 255
    return Digits(images, np.arange(10))


def test_a_single_digits_mask_is_its_ink(digits):
    scenes = single_digits(digits)
    assert scenes.images.dtype == np.float32 and 0 <= scenes.images.min() and scenes.images.max() == 1
    for image, mask, label in zip(scenes.images, scenes.masks, digits.labels):
        assert set(np.unique(mask)) == {label, BACKGROUND} and np.array_equal(mask != BACKGROUND, image > THRESHOLD)


def test_a_grid_holds_whole_digits_apart_from_each_other(squares):
    scenes = grids(squares, 40, 1)
    assert scenes.images.shape == scenes.masks.shape == (40, *SIZE)
    assert np.array_equal(scenes.masks != BACKGROUND, scenes.images > THRESHOLD)  # clean: the threshold is the truth
    numbers = []
    for mask in scenes.masks:
        count, parts, boxes, _ = cv2.connectedComponentsWithStats((mask != BACKGROUND).astype(np.uint8))
        numbers.append(count - 1)
        for part, (_, _, width, height, area) in enumerate(boxes[1:], start=1):
            (label,) = np.unique(mask[parts == part])  # one digit a patch
            assert width == height == 8 + label and area == width * height
    assert set(numbers) == {3, 4, 5, 6}


def test_only_ink_has_a_digits_class(digits):
    scenes = grids(digits, 10, 3)
    assert np.array_equal(scenes.masks != BACKGROUND, scenes.images > THRESHOLD)


def test_hard_scenes_hide_the_ink_from_a_threshold(digits):
    """Even the best threshold of each scene, chosen with the truth in hand, mistakes much of it."""
    scenes = hard_scenes(digits, 30, 1)
    assert 0 <= scenes.images.min() and scenes.images.max() <= 1 and scenes.images.dtype == np.float32
    overlaps = []
    for image, mask in zip(scenes.images, scenes.masks):
        truth = mask != BACKGROUND
        guesses = [side for level in np.linspace(0.05, 0.95, 19) for side in (image > level, image < level)]
        overlaps.append(max((guess & truth).sum() / (guess | truth).sum() for guess in guesses))
    assert np.mean(overlaps) < 0.75
    dark_on_bright = [image[mask == BACKGROUND].mean() > 0.5 for image, mask in zip(scenes.images, scenes.masks)]
    assert 0.2 < np.mean(dark_on_bright) < 0.8


def test_hard_digits_come_in_several_sizes_and_touch(squares):
    scenes = hard_scenes(squares, 60, 2)
    touching = 0
    widths = set()
    for mask in scenes.masks:
        for label in np.unique(mask[mask != BACKGROUND]):
            columns = np.flatnonzero((mask == label).any(axis=0))
            widths.add((columns[-1] - columns[0] + 1) / (8 + label))
        grown = [cv2.dilate((mask == label).astype(np.uint8), np.ones((3, 3))) for label in range(10)]
        touching += sum(grown).max() > 1
    assert min(widths) < 0.8 and max(widths) > 1.2 and touching > 15


@pytest.mark.parametrize("draw", [grids, hard_scenes])
def test_scenes_come_from_the_seed(digits, draw):
    first, again, other = draw(digits, 3, 5), draw(digits, 3, 5), draw(digits, 3, 6)
    assert np.array_equal(first.images, again.images) and np.array_equal(first.masks, again.masks)
    assert not np.array_equal(first.images, other.images)


def test_ink_box():
    image = np.zeros((28, 28), np.uint8)
    assert ink_box(image).shape == (1, 1)
    image[4, 7], image[9, 8] = 255, 1
    assert ink_box(image).shape == (6, 2) and ink_box(image)[0, 0] == 1


def test_colours_tell_eleven_classes_apart(digits):
    assert len(set(DIGIT_COLOURS)) == 11 and DIGIT_COLOURS[BACKGROUND] == CLASS_COLOURS[0]
    shown = colourise_digits(np.arange(11, dtype=np.uint8)[None])[0]
    assert ["#{:02X}{:02X}{:02X}".format(*colour) for colour in shown] == list(DIGIT_COLOURS)
    scenes = grids(digits, 3, 0)
    figure = sheet(scenes, {"a network": scenes.masks}, 2)
    assert len(figure.axes) == 6 and len(figure.legends[0].get_texts()) == 11
