"""fcn.dataset against files made by hand and, where there is a copy, against the real CMP Facade."""

import json

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from samples import save_label
from sklearn.utils.class_weight import compute_class_weight

from core.errors import CourseError
from core.photographs import denormalise, read_photograph
from fcn import dataset as dataset_module
from fcn.data_sets import load_splits
from fcn.dataset import CLASSES, VOID, CMPFacade, class_weights, collate
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
    monkeypatch.setattr("fcn.dataset.CACHE_BYTES", 2 * size + 100)
    images = [dataset[index][0] for index in range(len(dataset))]
    assert 0 < sum(pixels.nbytes + label.nbytes for pixels, label in dataset._read.values()) <= 2 * size + 100
    assert all(torch.equal(image, dataset[index][0]) for index, image in enumerate(images))


def test_a_file_is_hashed_once_while_it_stays_as_it_is(small_facades, monkeypatch):
    read = []
    whole = dataset_module.sha256
    monkeypatch.setattr(dataset_module, "sha256", lambda path: read.append(path) or whole(path))
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


def test_photograph_is_turned_as_exif_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.fromarray(np.zeros((10, 30, 3), dtype=np.uint8)).save(tmp_path / "turned.jpg", exif=exif)
    assert read_photograph(tmp_path / "turned.jpg").shape == (30, 10, 3)
    assert cv2.imread(str(tmp_path / "turned.jpg")).shape == (30, 10, 3)


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
