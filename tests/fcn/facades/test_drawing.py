import json

import cv2
import numpy as np
import pytest
from PIL import Image

from core.errors import CourseError
from fcn.dataset import CLASSES
from fcn.facades import drawing as facades
from fcn.facades.drawing import STYLES, draw_facade, write_facades
from fcn.facades.parts import DOOR, SHOP, WINDOW, Box, Canvas, WindowLook, window
from fcn.facades.street import door, shop

SMALL = {"train": 5, "validation": 2, "test": 1}


@pytest.fixture(scope="module")
def drawings():
    return [draw_facade(seed) for seed in range(80)]


@pytest.fixture
def folder(tmp_path):
    write_facades(tmp_path / "drawn", **SMALL)
    return tmp_path / "drawn"


def files(folder):
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_a_seed_gives_the_same_bytes_and_another_seed_others():
    first, again, other = draw_facade(7), draw_facade(7), draw_facade(8)
    assert all(np.array_equal(one, two) for one, two in zip(first, again))
    assert first[0].shape != other[0].shape or not np.array_equal(first[0], other[0])


def test_shapes_types_and_labels(drawings):
    for photo, label in drawings:
        assert photo.dtype == label.dtype == np.uint8
        assert photo.shape == (*label.shape, 3)
        assert 256 <= label.shape[0] <= 352 and 224 <= label.shape[1] <= 352
        assert 1 <= label.min() and label.max() <= 12
    sizes = {label.shape for _, label in drawings}
    assert len(sizes) >= 15 and any(side % 2 for size in sizes for side in size)


def test_every_class_occurs_often(drawings):
    occurs = np.array([np.bincount(label.ravel(), minlength=13)[1:] > 30 for _, label in drawings])
    assert (occurs.mean(axis=0) >= 0.25).all()


def test_street_level_and_sky_are_where_they_belong(drawings):
    rows = {
        value: np.concatenate([np.nonzero(label == value)[0] / len(label) for _, label in drawings])
        for value in (3, 4, 12)
    }
    assert np.median(rows[3]) < 0.6 < 0.7 < min(np.median(rows[4]), np.median(rows[12]))


def test_labels_lie_on_the_photographs_edges(drawings):
    """Contours of the label map meet stronger gradients than the same contours moved by 7 pixels."""
    on, beside = [], []
    for photo, label in drawings:
        grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
        gradient = cv2.morphologyEx(cv2.GaussianBlur(grey, (0, 0), 1), cv2.MORPH_GRADIENT, np.ones((3, 3)))
        contour = cv2.morphologyEx(label, cv2.MORPH_GRADIENT, np.ones((3, 3))) > 0
        on.append(gradient[contour].mean())
        beside.append(
            np.mean(
                [
                    gradient[np.roll(contour, (7 * y, 7 * x), (0, 1))].mean()
                    for y, x in ((1, 1), (1, -1), (-1, 1), (-1, -1))
                ]
            )
        )
    assert np.median(np.array(on) / np.array(beside)) > 1.4


@pytest.mark.parametrize("rise", [0.0, 0.5])
@pytest.mark.parametrize("value", [WINDOW, DOOR, SHOP])
def test_photograph_and_label_of_a_part_have_one_outline(value, rise):
    """On an even ground the changed pixels are the labelled ones; an arch lacks 1 - pi / 4 of its box."""
    canvas = Canvas(np.full((120, 120, 3), 128.0), np.ones((120, 120)), np.random.default_rng(0))
    box, brown, glass = Box(20, 30, 60, 100), np.array([90.0, 60.0, 30.0]), np.array([30.0, 50.0, 70.0])
    look = WindowLook(glass, brown, columns=2, rows=2, thickness=2, rise=rise)
    if value == WINDOW:
        window(canvas, box, look)
    elif value == DOOR:
        door(canvas, box, brown, glass, rise)
    else:
        rise = 0.0  # shop fronts have straight lintels
        shop(canvas, box, look, sign=brown)
    labelled = canvas.label == value
    assert set(np.unique(canvas.label)) == {1, value}
    cut = 2 * rise * (1 - np.pi / 4) * 40 * 20
    assert labelled.sum() == pytest.approx(40 * 70 - cut, rel=0.02)
    assert labelled[100 - 1, 20:60].all() and not labelled[:30].any() and not labelled[100:].any()
    changed = (canvas.photo != 128).any(axis=2)
    assert (changed & ~labelled).sum() <= 0.01 * labelled.sum() and (labelled & ~changed).sum() == 0


@pytest.mark.parametrize("style", STYLES)
def test_a_style_can_be_asked_for(style):
    photo, label = draw_facade(3, style=style)
    others = [draw_facade(3, style=other)[1] for other in STYLES if other != style]
    assert not any(np.array_equal(label, other) for other in others)


def test_an_unknown_style_is_a_user_error():
    with pytest.raises(CourseError, match="gothic.*classical"):
        draw_facade(0, style="gothic")


def test_files_are_in_cmps_format(folder):
    assert sorted(name for name in files(folder) if name.endswith(".jpg")) == [
        *(f"base/cmp_b000{k}.jpg" for k in (1, 2, 3)),
        *(f"extended/cmp_x000{k}.jpg" for k in range(1, 6)),
    ]
    for path in folder.glob("*/*.png"):
        with Image.open(path) as label, Image.open(path.with_suffix(".jpg")) as photo:
            assert label.mode == "P" and photo.mode == "RGB" and label.size == photo.size
            assert label.getpalette()[:9] == [0, 0, 0, 0, 0, 170, 0, 0, 255]  # as in cmp_b0001.png
    names = [line.split() for line in (folder / "label_names.txt").read_text().splitlines()]
    assert [(int(value), name) for value, name, _ in names] == list(enumerate(CLASSES, start=1))


def test_written_labels_and_photographs_are_the_drawn_ones(tmp_path, monkeypatch):
    drawn, draw = [], draw_facade
    monkeypatch.setattr(facades, "draw_facade", lambda *given: drawn.append(draw(*given)) or drawn[-1])
    write_facades(tmp_path, **SMALL)
    paths = sorted(tmp_path.glob("base/*.png")) + sorted(tmp_path.glob("extended/*.png"))
    assert len(drawn) == len(paths) == 8
    for path, (photo, label) in zip(paths, drawn):
        assert np.array_equal(np.array(Image.open(path)), label)
        written = np.array(Image.open(path.with_suffix(".jpg")))
        assert np.abs(written.astype(float) - photo).mean() < 8  # JPEG


def test_what_is_complete_is_left_alone(folder, monkeypatch):
    before = files(folder)
    assert json.loads(before["splits.json"]).items() >= SMALL.items()
    monkeypatch.setattr(facades, "draw_facade", lambda *_: pytest.fail("drawn again"))
    write_facades(folder, **SMALL)
    assert files(folder) == before


def test_other_counts_or_seeds_are_drawn_anew(folder):
    before = files(folder)
    write_facades(folder, train=2, validation=1, test=1)
    assert len(list(folder.glob("*/*.jpg"))) == len(list(folder.glob("*/*.png"))) == 4
    write_facades(folder, **SMALL, seed=1)
    assert files(folder)["base/cmp_b0001.png"] != before["base/cmp_b0001.png"]


def test_an_interrupted_writing_is_not_taken_for_complete(folder, tmp_path, monkeypatch):
    draw, calls = draw_facade, []

    def interrupted(*given):
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return draw(*given)

    with monkeypatch.context() as patch:
        patch.setattr(facades, "draw_facade", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_facades(tmp_path / "again", **SMALL)
    assert len(list((tmp_path / "again").rglob("*.jpg"))) == 2
    assert not (tmp_path / "again" / "splits.json").exists()
    write_facades(tmp_path / "again", **SMALL)
    assert files(tmp_path / "again") == files(folder)


def test_photographs_of_another_origin_are_not_overwritten(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "cmp_b0001.jpg").write_bytes(b"someone's")
    with pytest.raises(CourseError, match="not drawn here"):
        write_facades(tmp_path, **SMALL)
    assert files(tmp_path) == {"base/cmp_b0001.jpg": b"someone's"}
