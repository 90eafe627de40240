"""Handwritten digits, 28 × 28: scikit-learn's small ones, MNIST from torchvision, or a folder that holds it.

MNIST: LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition" (1998). Built in:
Alpaydin and Kaynak's optical digits (UCI, 1998), 8 × 8, as scikit-learn ships them.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import sklearn.datasets
from torchvision.datasets import MNIST

from core.errors import CourseError
from core.files import ROOT

SIDE = 28  # pixels of a digit's image
BOX = 20  # pixels of the box a digit is fitted into, as in MNIST
VALIDATION = {"builtin": 200, "mnist": 5000}  # the last of the training images
BUILTIN_TEST = 400  # the last of scikit-learn's 1797, mostly by other writers, as the set is in the writers' order


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
        CourseError: there is no such folder, a file in it is missing or damaged, or there is no network.
    """
    if source == "builtin":
        return _split("builtin", *_builtin())
    root = ROOT / "dataset" if source == "mnist" else Path(source).expanduser()
    return _split("mnist", *(_mnist(root, train, download=source == "mnist") for train in (True, False)))


def _split(name: str, training: Digits, test: Digits) -> DigitSplits:
    count = len(training) - VALIDATION[name]
    if count < 1:
        raise CourseError(
            f"There are {len(training)} training digits, of which {VALIDATION[name]} are for validation; fetch the "
            "whole of MNIST."
        )
    return DigitSplits(name, training.first(count), Digits(training.images[count:], training.labels[count:]), test)


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


def _mnist(root: Path, train: bool, download: bool) -> Digits:
    raw = root / "MNIST" / "raw"
    if not download and not raw.is_dir():
        raise CourseError(f'There is no folder {raw}; give "builtin", "mnist" or a folder that holds MNIST/raw/.')
    try:
        read = MNIST(root, train, download=download)
        digits = Digits(read.data.numpy(), read.targets.numpy())
        if digits.images.shape != (len(digits), SIDE, SIDE) or digits.labels.max() > 9:
            raise ValueError(f"not as many images of {SIDE} × {SIDE} as labels of 0 to 9")
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, AssertionError) as error:
        advice = "connect to the network, or name a folder that holds MNIST/raw/" if download else "fetch it again"
        raise CourseError(f"{raw} doesn't hold the whole of MNIST ({error}); {advice}.") from error
    return digits
