"""Reading digits: the built-in ones, MNIST's files, and what is wrong with files that aren't."""

import os
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
from torchvision.datasets import MNIST

from core.errors import CourseError
from fcn.digits import data as digit_data
from fcn.digits.data import load_digits

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def write_idx(path: Path, array: np.ndarray) -> None:
    """An idx file of bytes: two zeros, 8 for unsigned bytes, the number of axes, their lengths, the values."""
    sizes = np.array(array.shape, ">i4").tobytes()
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """MNIST's layout with 12 training and 5 test images."""
    raw = tmp_path / "digits" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for split, count in (("train", 12), ("t10k", 5)):
        write_idx(raw / f"{split}-images-idx3-ubyte", generator.integers(0, 256, (count, 28, 28)))
        write_idx(raw / f"{split}-labels-idx1-ubyte", generator.integers(0, 10, count))
    return tmp_path / "digits"


def test_builtin_digits_are_scikit_learns_and_no_image_is_in_two_splits():
    splits = load_digits("builtin")
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (1197, 200, 400)
    labels = np.concatenate([splits.train.labels, splits.validation.labels, splits.test.labels])
    small = sklearn.datasets.load_digits()
    assert np.array_equal(labels, small.target)
    images = np.concatenate([splits.train.images, splits.validation.images, splits.test.images])
    # Averaged back to 8 × 8 the enlarged digits are scikit-learn's (0..16), up to what cubic interpolation smooths.
    box = images[:, 4:24, 4:24].repeat(2, axis=1).repeat(2, axis=2).reshape(-1, 8, 5, 8, 5).mean((2, 4)) / 255 * 16
    assert np.abs(box - small.images).mean() < 1 < 2 < np.abs(box.transpose(0, 2, 1) - small.images).mean()
    assert splits.train.sha256() == load_digits("builtin").train.sha256() != splits.test.sha256()


def test_a_folder_is_read_as_torchvision_reads_it(folder, monkeypatch):
    monkeypatch.setitem(digit_data.VALIDATION, "mnist", 4)
    splits = load_digits(str(folder))
    reference = {train: MNIST(folder, train) for train in (True, False)}
    assert np.array_equal(np.concatenate([splits.train.images, splits.validation.images]), reference[True].data)
    assert np.array_equal(np.concatenate([splits.train.labels, splits.validation.labels]), reference[True].targets)
    assert np.array_equal(splits.test.images, reference[False].data)
    assert (len(splits.train), len(splits.validation), splits.name) == (8, 4, "mnist")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", ["missing", "short", "empty", "text"])
def test_a_file_that_is_not_whole_is_one_sentence(folder, name, damage):
    path = folder / "MNIST" / "raw" / name
    content = path.read_bytes()
    path.write_bytes({"short": content[:-3], "text": b"<html>not found</html>"}.get(damage, b""))
    if damage == "missing":
        path.unlink()
    with pytest.raises(CourseError, match="MNIST/raw doesn't hold the whole of MNIST .*; fetch it again"):
        load_digits(str(folder))


@pytest.mark.parametrize(
    "name, array",
    [(NAMES[0], np.zeros((12, 32, 30))), (NAMES[2], np.zeros((4, 28, 28))), (NAMES[1], np.full(12, 10))],
)
def test_files_that_do_not_fit_are_one_sentence(folder, name, array):
    write_idx(folder / "MNIST" / "raw" / name, array)
    with pytest.raises(CourseError, match="not as many images of 28 × 28 as labels of 0 to 9"):
        load_digits(str(folder))


def test_no_folder_and_too_few_digits(folder, tmp_path):
    with pytest.raises(CourseError, match="There is no folder .*MNIST/raw"):
        load_digits(str(tmp_path / "absent"))
    with pytest.raises(CourseError, match="There are 12 training digits, of which 5000"):
        load_digits(str(folder))


def test_without_a_network_mnist_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(digit_data, "ROOT", tmp_path)
    monkeypatch.setattr(
        "torchvision.datasets.mnist.download_and_extract_archive",
        lambda *_args, **_keywords: (_ for _ in ()).throw(OSError("no route")),
    )
    with pytest.raises(CourseError, match="MNIST .no route.; connect to the network"):
        load_digits("mnist")


def test_real_mnist():
    folder = Path(os.environ.get("COURSE_DATA", ""))
    if "COURSE_DATA" not in os.environ or not (folder / "MNIST" / "raw").is_dir():
        pytest.skip("COURSE_DATA names no folder with MNIST/raw/ in it: the real digits are not tested")
    splits = load_digits(str(folder))
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (55000, 5000, 10000)
    assert splits.train.labels[:5].tolist() == [5, 0, 4, 1, 9] and splits.test.labels[:3].tolist() == [7, 2, 1]
