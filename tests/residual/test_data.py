"""Pictures, however they come in: built-in, as a folder, as torchvision's CIFAR-10; and their augmentation."""

import os
import pickle
import urllib.error
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import CourseError
from residual import pictures
from residual.data import CLASSES, PictureSet, _split, augment, load, normalise


def write_folder(root: Path, suffix: str = "png", each: int = 2) -> Path:
    """train/ and test/ with some noisy pictures of each class; the first pixel's red is 20 times the class."""
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for label, name in enumerate(CLASSES):
            (root / split / name).mkdir(parents=True)
            for number in range(each):
                pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
                pixels[0, 0, 0] = 20 * label
                Image.fromarray(pixels).save(root / split / name / f"{number}.{suffix}")
    return root


def test_built_in_pictures_are_drawn_from_the_seed():
    (x, labels), (again, _), (other, _) = pictures.draw(50, 4), pictures.draw(50, 4), pictures.draw(50, 5)
    assert x.shape == (50, 3, 32, 32) and x.dtype == np.uint8 and np.bincount(labels).tolist() == [5] * 10
    assert np.array_equal(x, again) and not np.array_equal(x, other)


def test_hue_tells_something_of_the_class_but_not_all():
    """Neighbours share their hues: the brightest colour alone finds the class more often than chance, not always."""
    (x, labels), (unseen, truth) = pictures.draw(600, 4), pictures.draw(300, 5)
    known, asked = (np.sort(one.reshape(len(one), 3, -1), axis=2)[:, :, -100:].mean(axis=2) for one in (x, unseen))
    nearest = labels[((asked[:, None] - known[None]) ** 2).sum(axis=2).argmin(axis=1)]
    assert 0.12 < (nearest == truth).mean() < 0.5


def test_a_folder_is_read_and_split(tmp_path):
    read = load(write_folder(tmp_path))
    assert (read.name, read.classes) == ("png", CLASSES)
    assert (len(read.train), len(read.validation), len(read.test)) == (18, 2, 20)
    for split in (read.train, read.validation, read.test):
        assert torch.equal(split.images[:, 0, 0, 0], (20 * split.labels).byte())
    seen = {split.images[i].numpy().tobytes() for split in (read.train, read.validation) for i in range(len(split))}
    assert len(seen) == 20  # no training picture is lost, none is in both
    assert read.sha256() == load(tmp_path).sha256()


def test_jpeg_copies_are_told_apart(tmp_path):
    assert load(write_folder(tmp_path, "jpg")).name == "jpeg"


def test_torchvisions_files_are_read(tmp_path, monkeypatch):
    """Batches as the archive has them, with their hashes left unchecked."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    names = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
    for number, name in enumerate(names):
        data = np.full((10, 3072), number, dtype=np.uint8)
        data[:, :1024] = 7  # red comes first
        (folder / name).write_bytes(pickle.dumps({"data": data, "labels": list(range(10))}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(CLASSES)}))
    with pytest.raises(CourseError, match="cifar-10-batches-py"):  # torchvision finds that these aren't the real ones
        load(tmp_path)
    monkeypatch.setattr("torchvision.datasets.CIFAR10._check_integrity", lambda self: True)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda path, md5=None: True)
    read = load(tmp_path)
    assert (read.name, len(read.train), len(read.validation), len(read.test)) == ("cifar10", 45, 5, 10)
    assert (read.test.images[:, 0] == 7).all() and (read.test.images[:, 1:] == 5).all()


def test_without_a_network_it_says_so(monkeypatch):
    def refuse(*_arguments, **_named):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("residual.data.CIFAR10.__init__", refuse)
    with pytest.raises(CourseError, match="can't be fetched .* no network"):
        load("cifar10")


def test_a_tenth_is_held_out_at_most_five_thousand():
    many = PictureSet(torch.zeros(60000, 1, 1, 1, dtype=torch.uint8), torch.zeros(60000, dtype=torch.long))
    split = _split("png", many, many.subset(slice(10)))
    assert (len(split.train), len(split.validation)) == (55000, 5000)


def test_mistakes_name_the_file(tmp_path):
    with pytest.raises(CourseError, match="neither"):
        load(tmp_path / "nowhere")
    root = write_folder(tmp_path / "data")
    small = root / "train" / "cat" / "0.png"
    Image.new("RGB", (30, 32)).save(small)
    with pytest.raises(CourseError, match=r"cat/0.png is 30 × 32 pixels"):
        load(root)
    small.write_bytes(small.read_bytes()[:40])
    with pytest.raises(CourseError, match=r"cat/0.png is not an image"):
        load(root)
    for path in (root / "train" / "cat").iterdir():
        path.unlink()
    (root / "train" / "cat").rmdir()
    with pytest.raises(CourseError, match="train has no folder cat"):
        load(root)


def test_reduced_averages_and_keeps_the_test_set():
    full = load("builtin")
    small = full.reduced(train=100, side=16)
    assert small.train.images.shape == (100, 3, 16, 16) and len(small.test) == len(full.test)
    mean = full.test.images[0, 0, :2, :2].float().mean()
    assert small.test.images[0, 0, 0, 0].item() == pytest.approx(mean.item(), abs=0.5)


def test_augmentation_is_a_crop_and_a_flip_of_each_picture():
    """Each result is found among the 9 × 9 crops of the padded picture and their mirror images, made one by one."""
    x = torch.randn(20, 3, 32, 32)
    padded = torch.nn.functional.pad(x, (4, 4, 4, 4))
    kinds = set()
    for index, found in enumerate(augment(x, torch.Generator().manual_seed(0))):
        crops = {
            (down, right, flipped): crop.flip(2) if flipped else crop
            for down in range(9)
            for right in range(9)
            for flipped in (False, True)
            for crop in [padded[index, :, down : down + 32, right : right + 32]]
        }
        (match,) = [kind for kind, crop in crops.items() if torch.equal(crop, found)]
        kinds.add(match)
    assert any(down != right for down, right, _ in kinds)
    for part in zip(*kinds):  # moved down and right by many distances, mirrored and not
        assert len(set(part)) > (1 if set(part) <= {False, True} else 5)


def test_batches_are_full_and_normalised():
    some = PictureSet(torch.full((10, 3, 4, 4), 255, dtype=torch.uint8), torch.arange(10))
    read = list(some.batches(4, 5))
    assert [labels.tolist() for _, labels in read] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert (read[0][0] == 2).all() and (normalise(torch.zeros(1, dtype=torch.uint8)) == -2).all()


def test_the_real_copy():
    folder = Path(os.environ.get("COURSE_DATA", "")) / "cifar10"
    if "COURSE_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("COURSE_DATA names no folder with cifar10/ in it: the real pictures are not tested")
    read = load(folder)
    assert (read.name, len(read.train), len(read.validation), len(read.test)) == ("jpeg", 45000, 5000, 10000)
    assert read.test.labels.bincount().tolist() == [1000] * 10
