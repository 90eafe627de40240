"""Tiny ImageNet's reader, on a miniature of it."""

import shutil

import numpy as np
import pytest
from PIL import Image
from tiny_imagenet_samples import OF_EACH, WNIDS, write_tiny_imagenet
from torchvision.datasets import ImageFolder

from core.errors import CourseError
from fcn import tiny_imagenet
from fcn.tiny_imagenet import class_names, describe, load_photographs


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return write_tiny_imagenet(tmp_path / "tiny-imagenet-200", monkeypatch)


def test_photographs_and_classes_are_those_that_torchvision_reads(folder):
    """Its ImageFolder counts the classes in the alphabet's order, the data set in that of wnids.txt."""
    photographs, classes = load_photographs("train", folder)
    trusted = ImageFolder(folder / "train")
    expected = {trusted.classes[place]: [] for place in range(6)}
    for image, place in trusted:
        expected[trusted.classes[place]].append(np.asarray(image))
    for place, wnid in enumerate(WNIDS):
        assert np.array_equal(photographs[classes == place], np.stack(expected[wnid]))


def test_validation_follows_its_list(folder):
    photographs, classes = load_photographs("val", folder)
    assert classes.tolist() == [0, 1, 2, 3, 4, 5]
    for place in range(6):
        with Image.open(folder / "val" / "images" / f"val_{5 - place}.JPEG") as image:
            assert np.array_equal(photographs[place], np.asarray(image))


def test_photographs_are_decoded_once_and_mapped_into_memory(folder, monkeypatch):
    first, _ = load_photographs("val", folder)
    monkeypatch.setattr(tiny_imagenet, "read_photograph", lambda path: pytest.fail("decoded again"))
    second, _ = load_photographs("val", folder)
    assert np.array_equal(first, second) and isinstance(second, np.memmap) and not second.flags.writeable


def test_a_record_names_the_classes_and_a_hash_of_what_is_seen(folder):
    assert class_names(folder) == ["Egyptian cat", "reel", "lemon", "plunger", "cliff", "espresso"]
    for split in OF_EACH:
        load_photographs(split, folder)
    before = describe(folder)
    assert before["images"] == {"train": 270, "val": 6} and before == describe(folder)
    Image.new("RGB", (64, 64)).save(folder / "val" / "images" / "val_0.JPEG")
    (folder / "val.npy").unlink()
    load_photographs("val", folder)
    assert describe(folder)["sha256"] != before["sha256"]


def cut(path, length):
    path.write_bytes(path.read_bytes()[:length])


DAMAGE = {
    "a class is missing": (lambda folder: shutil.rmtree(folder / "train" / "n02"), "train holds 225 of 270"),
    "a photograph is missing": (lambda folder: (folder / "train/n01/images/n01_3.JPEG").unlink(), "269 of 270"),
    "no photographs": (lambda folder: shutil.rmtree(folder / "train"), "train holds 0 of 270"),
    "half the classes": (lambda folder: cut(folder / "wnids.txt", 8), "wnids.txt names 2 of 6 classes"),
    "unknown classes": (
        lambda folder: (folder / "wnids.txt").write_text("n03\nn04\nn11\nn12\nn13\nn14"),
        "train holds 90 of 270",
    ),
    "no list of classes": (lambda folder: (folder / "wnids.txt").unlink(), "wnids.txt is missing"),
    "a list that is no text": (lambda folder: (folder / "wnids.txt").write_bytes(b"\xff\xfe\x00"), "unreadable"),
    "half a photograph": (lambda folder: cut(folder / "train/n01/images/n01_3.JPEG", 900), "n01_3.JPEG cannot be read"),
    "a photograph of another size": (
        lambda folder: Image.new("RGB", (64, 32)).save(folder / "train/n01/images/n01_3.JPEG"),
        "n01_3.JPEG isn't of 64 × 64 pixels",
    ),
    "nothing": (shutil.rmtree, "There is no Tiny ImageNet in"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_missing_or_damaged_is_told_in_one_sentence(folder, damage):
    harm, message = DAMAGE[damage]
    harm(folder)
    with pytest.raises(CourseError, match=message) as caught:
        load_photographs("train", folder)
    assert "\n" not in str(caught.value)
    assert "fetch" in str(caught.value) and not list(folder.glob("*.npy"))


def test_a_validation_list_that_was_cut_off(folder):
    cut(folder / "val" / "val_annotations.txt", 30)
    with pytest.raises(CourseError, match="val holds 1 of 6 photographs; remove it and fetch it with"):
        load_photographs("val", folder)


def test_names_that_are_missing(folder):
    cut(folder / "words.txt", 20)
    with pytest.raises(CourseError, match="words.txt has no name for n03"):
        class_names(folder)


@pytest.mark.parametrize("harm", [lambda path: cut(path, 1000), lambda path: np.save(path, np.zeros((6, 64, 64)))])
def test_a_damaged_file_of_decoded_photographs(folder, harm):
    load_photographs("val", folder)
    harm(folder / "val.npy")
    with pytest.raises(CourseError, match="val.npy doesn't hold what the course wrote there; remove it"):
        load_photographs("val", folder)
