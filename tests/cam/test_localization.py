"""The scores held against hand-made maps and scikit-learn."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import average_precision_score

from cam.localization import (
    BINS,
    best_threshold,
    box_accuracy,
    box_iou,
    box_overlaps,
    energy_inside,
    map_box,
    mask_box,
    pixel_average_precision,
    pointing_game,
    spread,
    unit_maps,
)


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros((1, 10, 12), bool)
    mask[0, 2:6, 3:9] = True
    return mask


def test_boxes(mask):
    assert mask_box(mask[0]) == (3, 2, 9, 6)
    two = np.zeros((10, 12))
    two[0:2, 0:2] = 1.0  # smaller, though higher
    two[4:9, 5:8] = 0.6
    assert map_box(two, 0.5) == (5, 4, 8, 9)
    assert map_box(two, 0.7) == (0, 0, 2, 2)
    assert map_box(two * 0.5, 0.9) == (0, 0, 0, 0)


@pytest.mark.parametrize("reached", [0.002, 0.02, 0.3, 0.6, 0.98])
def test_map_box_is_that_of_scipys_largest_region(reached):
    rng = np.random.default_rng(0)
    for size in (1, 2, 7, 40):
        for smooth in (0, 3):
            unit_map = ndimage.uniform_filter(rng.random((size, size + 3)), smooth or 1)
            threshold = np.quantile(unit_map, 1 - reached)
            labels, _ = ndimage.label(unit_map >= threshold, structure=np.ones((3, 3)))
            areas = np.bincount(labels.ravel())[1:]
            rows, columns = ndimage.find_objects(labels)[areas.argmax()]
            assert np.count_nonzero(areas == areas.max()) > 1 or map_box(unit_map, threshold) == (
                columns.start,
                rows.start,
                columns.stop,
                rows.stop,
            )


def test_map_box_looks_into_holes():
    """A thin ring around a region that is larger."""
    ring = np.zeros((12, 14))
    ring[1:11, 1:13] = 1.0
    ring[2:10, 2:12] = 0.0
    ring[3:9, 3:11] = 1.0
    assert map_box(ring, 0.5) == (3, 3, 11, 9)


def test_box_iou_by_hand():
    assert box_iou((0, 0, 4, 4), (0, 0, 4, 4)) == 1
    assert box_iou((0, 0, 4, 4), (2, 2, 6, 6)) == pytest.approx(4 / 28)
    assert box_iou((0, 0, 4, 4), (4, 0, 8, 4)) == 0
    assert box_iou((0, 0, 0, 0), (1, 1, 2, 2)) == 0


def test_pointing_game(mask):
    on, off, tied = np.zeros((3, 10, 12))
    on[3, 4] = off[0, 0] = 1
    tied[3, 4] = tied[0, 0] = 1
    maps, masks = np.stack([on, off, tied]), mask.repeat(3, 0)
    assert pointing_game(maps[:2], masks[:2]) == 0.5
    assert pointing_game(maps, masks) == 0.5
    assert pointing_game(np.ones((1, 10, 12)), mask) == pytest.approx(24 / 120)  # a flat map: the object's share


def test_box_accuracy(mask):
    shifted = np.roll(mask, 2, axis=2)  # overlaps by 4 of 8 columns
    maps = np.concatenate([mask, shifted]).astype(float)
    masks = mask.repeat(2, 0)
    assert box_accuracy(maps, masks, 0.5, iou=0.5) == 1
    assert box_accuracy(maps, masks, 0.5, iou=0.51) == 0.5
    assert box_accuracy(7 * maps - 3, masks, 0.5, iou=0.51) == 0.5  # scale and level don't matter


def test_the_best_threshold_is_the_lowest_that_gives_the_best_boxes(mask):
    thresholds = [0.2, 0.5, 0.8]
    halo = mask + 0.4 * ~mask
    overlaps = box_overlaps(halo, mask, thresholds)
    assert overlaps[:, 0].tolist() == [1, 1, 1]  # the halo scales to 0
    assert best_threshold(overlaps, 0.9, thresholds) == 0.2
    halo[0, 0, 0] = 0.0
    overlaps = box_overlaps(halo, mask, thresholds)
    assert overlaps[:, 0].tolist() == [24 / 120, 1, 1]
    assert best_threshold(overlaps, 0.9, thresholds) == 0.5


def test_pixel_average_precision_is_scikit_learns():
    rng = np.random.default_rng(0)
    masks = rng.random((3, 20, 30)) < 0.3
    maps = rng.random((3, 20, 30)) + 0.5 * masks
    steps = np.floor(unit_maps(maps) * BINS)
    expected = average_precision_score(masks.ravel(), steps.ravel())
    assert pixel_average_precision(maps, masks) == pytest.approx(expected, abs=1e-12)
    assert pixel_average_precision(masks.astype(float), masks) == 1


def test_energy_and_spread(mask):
    half = mask.astype(float)
    half[0, 7:9, :] = -5.0  # what speaks against the class doesn't count
    half[0, 0, :] = 2.0  # 24 outside, 24 inside
    assert energy_inside(half, mask) == 0.5
    assert energy_inside(-half.clip(0), mask) == 0
    assert spread(np.ones((2, 4, 4))) == pytest.approx(1)
    point = np.zeros((1, 4, 4))
    point[0, 1, 1] = 3
    assert spread(point) == 0
    point[0, 2, 2] = 3
    assert spread(point) == pytest.approx(np.log(2) / np.log(16))
    assert spread(np.full((1, 4, 4), -1.0)) == pytest.approx(1)
