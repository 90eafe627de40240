"""fcn.voc and fcn.data_sets against small folders in VOC's and SBD's layout, and the real VOC 2007 where it is."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from samples import save_label
from torchvision.datasets import VOCSegmentation
from voc_samples import TRAIN, VAL, label_map, write_sbd, write_voc

from core.errors import CourseError
from fcn.data_sets import load_splits
from fcn.dataset import VOID, collate
from fcn.evaluation import evaluate
from fcn.losses import pixel_loss
from fcn.models import FCN32s
from fcn.recipes import Training
from fcn.trainer import fit
from fcn.voc import VOC, VOC_CLASSES, YEARS


@pytest.fixture
def small_voc(tmp_path):
    write_voc(tmp_path, {"train": TRAIN, "val": VAL})
    return tmp_path


def test_voc_validation_is_scored_and_each_tenth_training_image_chooses(small_voc):
    train, validation, test = load_splits(str(small_voc), scale=1.0)
    assert [path.stem for path, _ in train.pairs] == TRAIN[:9] + TRAIN[10:]
    assert [path.stem for path, _ in validation.pairs] == [TRAIN[9]]
    assert [path.stem for path, _ in test.pairs] == VAL
    assert train.classes == VOC_CLASSES and len(VOC_CLASSES) == 21


def test_item_is_what_torchvision_reads(small_voc):
    dataset, reference = VOC(small_voc, "test", scale=1.0), VOCSegmentation(small_voc, "2007", "val")
    for index in range(3):
        image, label = dataset[index]
        assert (label.numpy() == np.asarray(reference[index][1])).all()
        expected = (np.asarray(reference[index][0]) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        assert np.abs(image.permute(1, 2, 0).numpy() - expected).max() < 1e-5


def test_newest_year_unless_one_is_named(small_voc):
    write_voc(small_voc, {"train": TRAIN, "val": VAL[:2]}, "TrainVal/VOCdevkit/VOC2011")
    assert VOC(small_voc, "test").year == "2011" and len(VOC(small_voc, "test")) == 2
    assert len(VOC(small_voc, "test", year="2007")) == 3
    with pytest.raises(CourseError, match="2012/ImageSets/Segmentation/train.txt is not there"):
        VOC(small_voc, "test", year="2012")
    with pytest.raises(CourseError, match='year "1999"'):
        VOC(small_voc, "test", year="1999")
    assert len(YEARS) == 6


def test_extra_label_maps_without_those_that_voc_names(small_voc):
    write_sbd(small_voc / "sbd", {"train": ["2008_1", VAL[0], TRAIN[9], TRAIN[0]], "val": ["2008_2", VAL[1]]})
    train, validation, test = load_splits(str(small_voc), scale=1.0, extra=True)
    stems = [path.stem for path, _ in train.pairs]
    assert stems == TRAIN[:9] + TRAIN[10:] + ["2008_1", "2008_2"]
    assert not set(stems) & {path.stem for split in (validation, test) for path, _ in split.pairs}
    assert (train[len(stems) - 1][1].numpy() == label_map(24, 36, 0)).all() and train.name(len(stems) - 1)


def test_void_is_not_learnt_from_nor_counted(small_voc, tmp_path):
    """Whatever the network says of void pixels, the loss and the figures stay."""
    _, label = VOC(small_voc, "test", scale=1.0)[0]
    counted = (label != VOID).sum()
    matrix = evaluate(FCN32s(21, width=0.125, padding="aligned"), VOC(small_voc, "test", scale=1.0))
    assert matrix.counts.sum() == 3 * counted


@pytest.mark.parametrize("size", [(1, 44), (30, 1), (1, 1)])
@pytest.mark.parametrize("backbone", ["vgg16", "googlenet"])
def test_images_of_one_pixel_train_and_score(tmp_path, size, backbone):
    write_voc(tmp_path, {"train": TRAIN, "val": VAL}, height=size[0], width=size[1])
    train, validation, test = load_splits(str(tmp_path), scale=0.5)
    assert train[0][1].shape == tuple(max(1, round(side / 2)) for side in size)
    model = FCN32s(21, backbone, width=0.125, padding="aligned")
    history = fit(model, train, validation, Training(epochs=1, batch_size=1, precision="float32"), tmp_path / "run")
    assert np.isfinite(history[0]["train_loss"])
    evaluate(model, test)


def test_a_batch_that_is_void_all_over_changes_nothing():
    logits = torch.randn(2, 21, 5, 7, requires_grad=True)
    loss = pixel_loss(logits, torch.full((2, 5, 7), VOID))
    loss.backward()
    assert loss == 0 and not logits.grad.any()


def test_batches_of_several_sizes(small_voc):
    images, labels = collate([VOC(small_voc, "test", scale=1.0)[0], VOC(small_voc, "test", scale=0.5)[0]])
    assert images.shape == (2, 3, 30, 44) and (labels[1, 15:] == VOID).all()


def test_label_between_the_classes_and_void(small_voc):
    label = label_map(30, 44, 0)
    label[3, 4] = 77
    save_label(small_voc / "VOCdevkit/VOC2007/SegmentationClass/000021.png", label)
    with pytest.raises(CourseError, match=r"000021\.png holds the label 77; labels are 0\.\.20, and 255"):
        VOC(small_voc, "test")[1]


@pytest.mark.parametrize("missing", ["JPEGImages/000021.jpg", "SegmentationClass/000021.png"])
def test_missing_file_of_a_list_is_named(small_voc, missing):
    (small_voc / "VOCdevkit/VOC2007" / missing).unlink()
    with pytest.raises(CourseError, match=f"{missing} is missing"):
        VOC(small_voc, "test")


def test_image_that_is_listed_twice(small_voc):
    path = small_voc / "VOCdevkit/VOC2007/ImageSets/Segmentation/val.txt"
    path.write_text(path.read_text() + VAL[1] + "\n")
    with pytest.raises(CourseError, match=f"val.txt names the image {VAL[1]} 2 times"):
        VOC(small_voc, "test")


def test_image_that_is_learned_and_scored(small_voc):
    path = small_voc / "VOCdevkit/VOC2007/ImageSets/Segmentation/val.txt"
    path.write_text(path.read_text() + TRAIN[2] + "\n")
    for split in ("train", "test"):
        with pytest.raises(CourseError, match=f"names the image {TRAIN[2]} in both train.txt and val.txt"):
            VOC(small_voc, split)


def test_damaged_files(small_voc):
    folder = small_voc / "VOCdevkit/VOC2007"
    write_sbd(small_voc / "sbd", {"train": ["a"], "val": ["b"]})
    (small_voc / "sbd/cls/a.mat").write_bytes(b"no matrix")
    train, _, _ = load_splits(str(small_voc), 1.0, extra=True)
    with pytest.raises(CourseError, match="a.mat cannot be read"):
        train[len(train) - 2]
    (folder / "SegmentationClass/000020.png").write_bytes(b"no image")
    with pytest.raises(CourseError, match="000020.png is not an image"):
        VOC(small_voc, "test")[0]


def test_folders_that_hold_no_such_data(small_voc, tmp_path):
    with pytest.raises(CourseError, match="course data sbd"):
        load_splits(str(small_voc), 1.0, extra=True)
    (tmp_path / "empty" / "VOCdevkit").mkdir(parents=True)
    with pytest.raises(CourseError, match="course data voc"):
        load_splits(str(tmp_path / "empty"), 1.0)
    with pytest.raises(CourseError, match="SBD has no label maps"):
        load_splits("builtin", 1.0, extra=True)


def test_real_voc_2007():
    root = Path(os.environ.get("COURSE_DATA", ""))
    if "COURSE_DATA" not in os.environ or not (root / "VOCdevkit").is_dir():
        pytest.skip("COURSE_DATA names no folder with VOCdevkit/ in it: the real VOC is not tested")
    splits = load_splits(str(root), scale=0.25)
    assert [len(split) for split in splits] == [189, 20, 213]
    for split in splits:
        assert set(split[0][1].unique().tolist()) <= {*range(21), VOID}
