"""Handwritten digits, 28 × 28: scikit-learn's small ones, MNIST from torchvision, or a folder that holds it.

MNIST: LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition" (1998). Built in:
Alpaydin and Kaynak's optical digits (UCI, 1998), 8 × 8, as scikit-learn ships them.
"""

import hashlib
import urllib.error
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import sklearn.datasets
import torch
from torchvision.datasets import MNIST
from torchvision.datasets.mnist import read_image_file, read_label_file

from core.errors import CourseError
from core.files import ROOT

SIDE = 28  # pixels of a digit's image
BOX = 20  # pixels of the box a digit is fitted into, as in MNIST
VALIDATION = {"builtin": 200, "mnist": 5000}  # the last of the training images
BUILTIN_TEST = 400  # the last of scikit-learn's 1797, mostly by other writers, as the set is in the writers' order
_files = {name: (f"{name}-images-idx3-ubyte", f"{name}-labels-idx1-ubyte") for name in ("train", "t10k")}


@dataclass(frozen=True)
class Digits:
    """Digits and what they are.

    Attributes:
        images: (N, 28, 28) uint8, ink bright on black.
        labels: (N,) int64 in 0..9.
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int) -> "Digits":
        """The first `count`, or all if there are fewer."""
        return Digits(self.images[:count], self.labels[:count])

    def sha256(self) -> str:
        """One hash over images and labels."""
        return hashlib.sha256(self.images.tobytes() + self.labels.tobytes()).hexdigest()


@dataclass(frozen=True)
class DigitSplits:
    """Training, validation and test digits, none of them in two splits.

    Attributes:
        name: "builtin" or "mnist".
    """

    name: str
    train: Digits
    validation: Digits
    test: Digits

    def describe(self) -> dict[str, object]:
        """What a record says of its data."""
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        hashes = "".join(split.sha256() for split in splits.values())
        return {
            "name": f"{self.name} digits",
            "sha256": hashlib.sha256(hashes.encode()).hexdigest(),
            "images": {name: len(split) for name, split in splits.items()},
        }


def load_digits(source: str) -> DigitSplits:
    """The digits of a source.

    Args:
        source: "builtin", "mnist" (fetched by torchvision into dataset/), or a folder that holds MNIST/raw/.

    Raises:
        CourseError: no such folder, a missing or damaged file, images of another size, or no network.
    """
    if source == "builtin":
        training, test = _builtin()
    elif source == "mnist":
        _fetch(ROOT / "dataset")
        training, test = _read_mnist(ROOT / "dataset")
    else:
        training, test = _read_mnist(Path(source).expanduser())
    name = "builtin" if source == "builtin" else "mnist"
    cut = len(training) - VALIDATION[name]
    if cut < 1:
        raise CourseError(
            f"{source} holds {len(training)} training digits, of which {VALIDATION[name]} are for "
            "validation; fetch the whole of MNIST."
        )
    validation = Digits(training.images[cut:], training.labels[cut:])
    return DigitSplits(name, training.first(cut), validation, test)


def _builtin() -> tuple[Digits, Digits]:
    """scikit-learn's digits, enlarged to MNIST's box; by their order, so that no image is in both."""
    small = sklearn.datasets.load_digits()
    images = np.zeros((len(small.images), SIDE, SIDE), np.uint8)
    edge = (SIDE - BOX) // 2
    for image, grey in zip(images, small.images):
        large = cv2.resize(grey / 16, (BOX, BOX), interpolation=cv2.INTER_CUBIC).clip(0, 1)
        image[edge : edge + BOX, edge : edge + BOX] = (255 * large).round()
    labels, cut = small.target.astype(np.int64), len(images) - BUILTIN_TEST
    return Digits(images[:cut], labels[:cut]), Digits(images[cut:], labels[cut:])


def _fetch(root: Path) -> None:
    try:
        for train in (True, False):
            MNIST(root, train, download=True)
    except (OSError, urllib.error.URLError, RuntimeError) as error:  # torchvision's words for no network, a wrong hash
        raise CourseError(
            f"MNIST can't be fetched into {root} ({error}); connect to the network, or name a folder "
            "that holds MNIST/raw/."
        ) from error


def _read_mnist(root: Path) -> tuple[Digits, Digits]:
    raw = root / "MNIST" / "raw"
    if not raw.is_dir():
        raise CourseError(f'There is no folder {raw}; give "builtin", "mnist" or a folder that holds MNIST/raw/.')
    return tuple(_read_pair(*(raw / name for name in names)) for names in _files.values())


def _read_pair(images_file: Path, labels_file: Path) -> Digits:
    images, labels = _read(images_file, read_image_file).numpy(), _read(labels_file, read_label_file).numpy()
    if images.shape[1:] != (SIDE, SIDE):
        raise CourseError(
            f"{images_file} holds images of {images.shape[2]} × {images.shape[1]} pixels; digits here "
            f"are {SIDE} × {SIDE}: put MNIST's own file in its place."
        )
    if len(images) != len(labels):
        raise CourseError(
            f"{images_file} holds {len(images)} images but {labels_file.name} {len(labels)} labels; "
            "fetch both files again."
        )
    if len(labels) and labels.max() > 9:
        raise CourseError(f"{labels_file} holds the label {labels.max()}; digits are 0 to 9: fetch it again.")
    return Digits(images, labels)


def _read(path: Path, reader) -> torch.Tensor:
    if not path.is_file():
        raise CourseError(f"{path} is missing; MNIST is four files in this folder: fetch them again.")
    try:
        return reader(str(path))
    except (OSError, ValueError, KeyError, IndexError, TypeError, AssertionError, RuntimeError) as error:
        raise CourseError(
            f"{path} is not a whole idx file ({type(error).__name__}: {error}); fetch it again."
        ) from error
