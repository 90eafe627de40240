"""fcn.dataset against files made by hand and, where there is a copy, against the real CMP Facade."""

import dataclasses
import functools
import json
import os
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from samples import save_label
from sklearn.utils.class_weight import compute_class_weight

from core.errors import CourseError
from core.photographs import denormalise
from fcn import caches, data_sets
from fcn.data_sets import load_splits
from fcn.dataset import CLASSES, VOID, CMPFacade, class_weights, collate
from fcn.facades.drawing import write_facades
from fcn.metrics import ConfusionMatrix


def test_splits_follow_the_order_of_names(small_facades):
    names = [CMPFacade(small_facades, split).pairs for split in ("train", "val", "test")]
    assert [len(split) for split in names] == [6, 2, 2]
    assert [path.stem for split in names for path, _ in split] == [
        *(f"cmp_b{n:04}" for n in range(1, 9)),
        "cmp_x0001",
        "cmp_x0002",
    ]


def test_item_is_the_file(small_facades):
    dataset = CMPFacade(small_facades, "train", scale=1.0)
    image, label = dataset[1]
    pixels = np.asarray(Image.open(dataset.pairs[1][0]))
    expected = (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    assert image.dtype == torch.float32 and label.dtype == torch.int64
    assert np.abs(image.permute(1, 2, 0).numpy() - expected).max() < 1e-5
    assert (label.numpy() + 1 == np.asarray(Image.open(dataset.pairs[1][0].with_suffix(".png")))).all()
    assert np.abs(denormalise(image) * 255 - pixels).max() < 1e-3


def test_half_size_averages_areas(small_facades):
    dataset = CMPFacade(small_facades, "train", scale=0.5)
    pixels = np.asarray(Image.open(dataset.pairs[0][0])).astype(float)  # 64 x 96
    means = pixels.reshape(32, 2, 48, 2, 3).mean(axis=(1, 3))
    assert np.abs(denormalise(dataset[0][0]) * 255 - means).max() <= 0.51


def test_label_order_is_the_pngs(small_facades):
    assert CLASSES.index("window") == 2 and CLASSES.index("pillar") == 10 and len(CLASSES) == 12


def test_batches_are_padded_with_void(small_facades):
    dataset = CMPFacade(small_facades, "train", scale=1.0)
    images, labels = collate([dataset[0], dataset[5]])
    assert images.shape == (2, 3, 79, 96) and labels.shape == (2, 79, 96)
    assert (labels[0, 64:] == VOID).all() and (labels[1, :, 71:] == VOID).all()
    assert torch.equal(images[0, :, :64, :96], dataset[0][0]) and images[0, :, 64:].abs().max() == 0


def test_rarer_classes_weigh_more_but_less_than_the_inverse_of_their_share(small_facades):
    dataset = CMPFacade(small_facades, "train", scale=1.0)
    labels = np.concatenate([dataset[index][1].numpy().ravel() for index in range(len(dataset))])
    present, counts = np.unique(labels[labels != VOID], return_counts=True)
    weights = class_weights(dataset).numpy()
    inverse = compute_class_weight("balanced", classes=present, y=labels[labels != VOID])
    expected = np.sqrt(inverse / inverse[0])  # up to one factor for all
    np.testing.assert_allclose(weights[present] / weights[present[0]], expected, rtol=1e-5)
    assert (weights[present] * counts).sum() / counts.sum() == pytest.approx(1)
    assert not np.delete(weights, present).any()


def test_missing_folder_says_how_to_get_it(tmp_path):
    with pytest.raises(CourseError, match="course data cmp"):
        CMPFacade(tmp_path)
    with pytest.raises(CourseError, match='There is no data set ".*nowhere"; give builtin, cmp, voc or a folder'):
        load_splits(str(tmp_path / "nowhere"), 1.0)
    with pytest.raises(CourseError, match="holds none of the layouts"):
        load_splits(str(tmp_path), 1.0)


def test_one_call_gives_the_three_splits(small_facades):
    splits = load_splits(str(small_facades), 1.0)
    assert [(split.split, len(split)) for split in splits] == [("train", 6), ("val", 2), ("test", 2)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_split_counts_as_editors_save_them(small_facades, encoding):
    (small_facades / "splits.json").write_text('{"train": 5, "validation": 2, "test": 3}', encoding=encoding)
    assert len(CMPFacade(small_facades, "test")) == 3


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf")])
def test_a_scale_that_is_none(small_facades, scale):
    with pytest.raises(CourseError, match="scale is .*; give a factor above 0"):
        CMPFacade(small_facades, "train", scale)


@pytest.mark.parametrize(
    "counts",
    ['{"train": -1, "validation": 5, "test": 6}', '{"train": 6.0, "validation": 2, "test": 2}', "[6, 2, 2]", "{"],
)
def test_split_counts_of_another_form(small_facades, counts):
    (small_facades / "splits.json").write_text(counts)
    with pytest.raises(CourseError, match="splits.json is not of the form"):
        CMPFacade(small_facades)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_split_counts_may_come_from_any_editor(small_facades, encoding):
    (small_facades / "splits.json").write_bytes('{"train": 5, "validation": 3, "test": 2}'.encode(encoding))
    assert len(CMPFacade(small_facades, "val")) == 3


def test_suffixes_in_other_letters_count(small_facades):
    for old, new in (("cmp_b0001.jpg", "cmp_b0001.JPG"), ("cmp_b0002.jpg", "cmp_b0002.jpeg")):
        (small_facades / "base" / old).rename(small_facades / "base" / new)
    assert len(CMPFacade(small_facades, "train")) == 6


def test_what_is_kept_in_memory_is_bounded(small_facades, monkeypatch):
    dataset = CMPFacade(small_facades, "train", scale=1.0)
    size = 4 * 64 * 96  # of the first: three channels and the label
    monkeypatch.setattr("fcn.caches.CACHE_BYTES", 2 * size + 100)
    images = [dataset[index][0] for index in range(len(dataset))]
    assert 0 < sum(pixels.nbytes + label.nbytes for pixels, label in dataset._cache.kept.values()) <= 2 * size + 100
    assert all(torch.equal(image, dataset[index][0]) for index, image in enumerate(images))


def test_a_file_is_hashed_once_while_it_stays_as_it_is(small_facades, monkeypatch):
    read = []
    whole = caches.sha256
    monkeypatch.setattr(caches, "sha256", lambda path: read.append(path) or whole(path))
    first = CMPFacade(small_facades, "val").sha256()
    assert CMPFacade(small_facades, "val").sha256() == first and len(read) == 4
    path = CMPFacade(small_facades, "val").pairs[0][0]
    path.write_bytes(path.read_bytes() + b"x")
    assert CMPFacade(small_facades, "val").sha256() != first and len(read) == 5


def test_half_downloaded_data(small_facades):
    (small_facades / "splits.json").unlink()
    with pytest.raises(CourseError, match="10 photographs where 606 belong"):
        CMPFacade(small_facades)
    (small_facades / "splits.json").write_text(json.dumps({"train": 6, "validation": 2, "test": 2}))
    (small_facades / "base" / "cmp_b0003.png").unlink()
    with pytest.raises(CourseError, match="cmp_b0003.png is missing"):
        CMPFacade(small_facades)


def test_truncated_photograph(small_facades):
    path = small_facades / "base" / "cmp_b0001.jpg"
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(CourseError, match="cmp_b0001.jpg cannot be read"):
        CMPFacade(small_facades)[0]


def test_label_map_of_another_size_or_with_an_unknown_label(small_facades):
    path = small_facades / "base" / "cmp_b0001.png"
    save_label(path, np.ones((10, 10), dtype=np.uint8))
    with pytest.raises(CourseError, match=r"cmp_b0001.png is \(10, 10\) pixels"):
        CMPFacade(small_facades)[0]
    for wrong in (0, 13):
        save_label(path, np.full((64, 96), wrong, dtype=np.uint8))
        with pytest.raises(CourseError, match=f"cmp_b0001.png holds the label {wrong}"):
            CMPFacade(small_facades)[0]


def write_turned(folder, orientation, size, map_shape):
    """A photograph of the given size as stored, with EXIF's orientation, and a map of the given shape."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.zeros((*size, 3), dtype=np.uint8)).save(folder / "base/cmp_b0001.jpg", exif=exif)
    save_label(folder / "base/cmp_b0001.png", np.ones(map_shape, np.uint8))


@pytest.mark.parametrize("orientation", range(5, 9))
def test_a_map_of_a_turned_photograph_as_it_is_shown(small_facades, orientation):
    write_turned(small_facades, orientation, (10, 30), (30, 10))
    assert CMPFacade(small_facades, scale=1)[0][0].shape == (3, 30, 10)
    assert CMPFacade(small_facades).size(0) == (10, 30)


@pytest.mark.parametrize(
    "orientation, size, map_shape", [(6, (10, 30), (10, 30)), (8, (20, 20), (20, 20)), (3, (10, 30), (10, 30))]
)
def test_a_map_that_may_lie_on_the_stored_pixels_is_refused(small_facades, orientation, size, map_shape):
    write_turned(small_facades, orientation, size, map_shape)
    with pytest.raises(CourseError, match="cmp_b0001.jpg is turned or mirrored by its EXIF entry.*save the photograph"):
        CMPFacade(small_facades)[0]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    write_facades(folder, 6, 2, 2)
    return folder


@pytest.mark.parametrize("factor", [0.3, 0.5, 0.75, 1.5, 3])
@pytest.mark.parametrize("how", ["NEAREST", "BILINEAR", "BICUBIC", "LANCZOS"])
def test_maps_that_were_resized_with_interpolation_are_refused(drawn, tmp_path, factor, how):
    shutil.copytree(drawn, tmp_path / "resized")
    for path in (tmp_path / "resized").glob("*/*.*"):
        image = Image.open(path)
        size = [round(side * factor) for side in image.size]
        if path.suffix == ".png":  # as grey: of a palette Pillow takes the nearest whatever it is told
            Image.fromarray(np.asarray(image)).resize(size, Image.Resampling[how]).point(
                lambda v: min(max(v, 1), 12)
            ).save(path)
        else:
            image.resize(size).save(path)
    if how == "NEAREST":
        load_splits(str(tmp_path / "resized"), 1.0)
    else:
        with pytest.raises(CourseError, match="were resized with interpolation.*nearest neighbour"):
            load_splits(str(tmp_path / "resized"), 1.0)


def test_a_changed_map_behind_a_link_is_noticed(small_facades, tmp_path):
    (small_facades / "base").rename(tmp_path / "elsewhere")
    (small_facades / "base").symlink_to(tmp_path / "elsewhere")
    before = CMPFacade(small_facades).sha256()
    save_label(tmp_path / "elsewhere" / "cmp_b0001.png", np.full((64, 96), 5, np.uint8))
    assert CMPFacade(small_facades).sha256() != before


@pytest.mark.parametrize("how", ["no folder can be made", "read only"])
def test_where_the_course_cannot_be_written_to_facades_are_drawn_in_the_users_cache(tmp_path, monkeypatch, how):
    if how == "read only":
        if os.geteuid() == 0:
            pytest.skip("root writes everywhere")
        (tmp_path / "dataset").mkdir(mode=0o555)
    else:
        (tmp_path / "dataset").touch()
    monkeypatch.setattr(data_sets, "ROOT", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    entry = dataclasses.replace(
        data_sets.DATA_SETS["builtin"], make=functools.partial(write_facades, train=4, validation=1, test=1)
    )
    monkeypatch.setitem(data_sets.DATA_SETS, "builtin", entry)
    splits = load_splits("builtin", 0.5)
    assert [len(split) for split in splits] == [4, 1, 1]
    assert splits[0].root.is_relative_to(data_sets.pooch.os_cache("fcn-cam-course"))
    assert load_splits("builtin", 0.5)[0].root == splits[0].root


def test_real_data_gives_the_published_constant_baseline(real_facades):
    """The design's figures for "facade everywhere": 0.343 and 0.0286 on validation, 0.448 and 0.0373 on test."""
    for split, count, accuracy, mean_iou in (("val", 30, 0.343, 0.0286), ("test", 76, 0.448, 0.0373)):
        dataset, matrix = CMPFacade(real_facades, split), ConfusionMatrix(12)
        for _, label in dataset:
            matrix.update(torch.ones_like(label), label)
        assert len(dataset) == count
        assert matrix.pixel_accuracy() == pytest.approx(accuracy, abs=5e-4)
        assert matrix.mean_iou() == pytest.approx(mean_iou, abs=5e-5)
    assert CMPFacade(real_facades, "train").name(499) == "extended/cmp_x0122.jpg"
