"""Pictures, controls and networks of the localisation experiment, held against what they must be."""

import numpy as np
import torch

from cam.classifiers import load_small
from cam.experiment import (
    aligned,
    centre_blob,
    map_makers,
    offset_scan,
    oracle_cells,
    probability_lost,
    random_cells,
    score_row,
)
from cam.layers import layer_grid
from cam.localization import mask_box, pointing_game
from cam.pictures import PATTERNS, Pictures, draw_picture, make_pictures
from fcn.geometry import Grid


def test_pictures_are_drawn_from_the_seed_and_inside_the_frame():
    first, again, other = make_pictures(12, 5), make_pictures(12, 5), make_pictures(12, 6)
    assert np.array_equal(first.images, again.images) and not np.array_equal(first.images, other.images)
    assert np.bincount(first.labels).tolist() == [2] * len(PATTERNS)
    for mask in first.masks:
        left, top, right, bottom = mask_box(mask)
        assert left > 0 and top > 0 and right < 224 and bottom < 224  # not cut by the frame
        assert 20 < right - left < 112 and 20 < bottom - top < 112


def test_only_the_object_tells_the_class():
    """The same draw with another pattern differs on the object alone."""
    a, mask = draw_picture(np.random.default_rng(3), 0)
    b, same = draw_picture(np.random.default_rng(3), 2)
    assert np.array_equal(mask, same) and np.array_equal(a[~mask], b[~mask]) and (a[mask] != b[mask]).any()


def _one_square(rows: slice, columns: slice) -> Pictures:
    mask = np.zeros((1, 224, 224), bool)
    mask[0, rows, columns] = True
    return Pictures(np.zeros((1, 224, 224, 3), np.uint8), np.array([0]), mask)


def test_oracle_cells_sit_where_the_grid_says():
    split = _one_square(slice(80, 112), slice(144, 176))  # the square around cell (3, 5): 96 ± 16 and 160 ± 16
    cells = oracle_cells(split, Grid(0, 32))
    assert cells.shape == (1, 7, 7) and cells[0, 3, 5] == 1 and cells.sum() == 1


def test_the_controls_know_nothing_of_the_object():
    middle, corner = _one_square(slice(100, 124), slice(100, 124)), _one_square(slice(0, 24), slice(0, 24))
    assert pointing_game(centre_blob(middle), middle.masks) == 1
    assert pointing_game(centre_blob(corner), corner.masks) == 0
    grid = Grid(0, 32)
    assert torch.equal(random_cells(middle, grid, 1), random_cells(corner, grid, 1))


def test_a_perfect_map_scores_perfectly_and_costs_the_class_its_probability():
    split = make_pictures(12, 8)
    row = score_row(lambda pictures: pictures.masks.astype(float), split, split)
    assert all(value == 1 for name, value in row.items() if not name.startswith("threshold"))
    model = load_small().model
    masks = split.masks.astype(float)
    lost = probability_lost(model, {"on the object": masks, "elsewhere": -masks}, split)
    assert lost["on the object"] > 0.3 > lost["elsewhere"]


def test_the_derived_offset_beats_a_cell_more_or_less():
    model, split = load_small().model, make_pictures(36, 9)
    threshold = 0.6
    left, derived, right = offset_scan(model, split, np.array([-32.0, 0.0, 32.0]), threshold)
    assert derived > left and derived > right
    assert layer_grid(model, "layer4").start == 0


def test_rows_are_aligned_maps_of_every_picture():
    split = make_pictures(6, 10)
    for name, make in map_makers(load_small().model).items():
        assert make(split).shape == (6, 224, 224), name
    assert aligned(torch.zeros(6, 7, 7), split, Grid(0, 32)).shape == (6, 224, 224)
