"""Labelled 32 × 32 pictures as tensors: CIFAR-10, a folder of pictures in its classes, or the built-in ones."""

import hashlib
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.datasets import CIFAR10, ImageFolder
from tqdm.auto import tqdm

from core.errors import CourseError
from core.files import ROOT
from core.photographs import SUFFIXES, read_photograph
from residual import pictures

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE = 32  # pixels
VALIDATION = 5000  # pictures of CIFAR-10's training set that are held out of training
BUILTIN_SIZES = {"train": 2000, "validation": 500, "test": 1000}
BUILTIN_SEEDS = {"train": 1, "validation": 2, "test": 3}
MARGIN = 1 / 8  # of the side: the zeros around a picture before it is cropped, 4 pixels (He et al., section 4.2)


@dataclass(frozen=True)
class PictureSet:
    """Pictures of one split, as one tensor.

    Attributes:
        images: (N, 3, 32, 32) uint8, RGB.
        labels: (N,) int64.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: Tensor | slice) -> "PictureSet":
        """The pictures with these places."""
        return PictureSet(self.images[indices], self.labels[indices])

    def batches(self, size: int, count: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields the first `count` batches, as they lie, fewer if there are not so many: normalised, and labels."""
        for start in range(0, min(count * size, len(self) - size + 1), size):
            yield normalise(self.images[start : start + size]), self.labels[start : start + size]

    def to(self, device: torch.device) -> "PictureSet":
        """The same pictures in the device's memory."""
        return PictureSet(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Pictures:
    """What a network learns from and is judged by.

    Attributes:
        name: "builtin", "cifar10", "jpeg" (a folder with JPEG pictures, whose figures don't compare with published
            ones) or "png" (a folder without).
        classes: their names, in the order of the labels.
        train, validation, test: no picture is in two of them.
    """

    name: str
    classes: tuple[str, ...]
    train: PictureSet
    validation: PictureSet
    test: PictureSet

    def reduced(self, train: int, side: int) -> "Pictures":
        """For quick runs: the first training pictures, and every picture averaged down to (side, side).

        Args:
            side: 32 divided by a whole number.
        """
        sets = {"train": self.train.subset(slice(train)), "validation": self.validation, "test": self.test}
        smaller = {
            name: PictureSet(functional.avg_pool2d(one.images.float(), SIDE // side).round().byte(), one.labels)
            for name, one in sets.items()
        }
        return replace(self, **smaller)

    def sha256(self) -> str:
        """What tells these pictures and their splits from any other."""
        digest = hashlib.sha256()
        for split in (self.train, self.validation, self.test):
            digest.update(split.images.numpy().tobytes() + split.labels.numpy().tobytes())
        return digest.hexdigest()


def load(source: str | Path = "builtin") -> Pictures:
    """Reads all pictures of a source into memory.

    Args:
        source: "builtin"; "cifar10", fetched by torchvision into dataset/; a folder that holds CIFAR-10 as
            torchvision leaves it; or a folder with train/ and test/, each with one folder of 32 × 32 JPEG or PNG
            pictures for each of CIFAR-10's classes.

    Raises:
        CourseError: the source is none of these, or a file in it can't be read or has another size.
    """
    if source == "builtin":
        drawn = {split: pictures.draw(BUILTIN_SIZES[split], BUILTIN_SEEDS[split]) for split in BUILTIN_SIZES}
        sets = {split: PictureSet(*map(torch.from_numpy, arrays)) for split, arrays in drawn.items()}
        return Pictures("builtin", tuple(pictures.SHAPES), **sets)
    if source == "cifar10":
        return _split("cifar10", *(_cifar10(ROOT / "dataset", train, download=True) for train in (True, False)))
    folder = Path(source).expanduser()
    if (folder / CIFAR10.base_folder).is_dir():
        return _split("cifar10", *(_cifar10(folder, train, download=False) for train in (True, False)))
    if not (folder / "train").is_dir() or not (folder / "test").is_dir():
        raise CourseError(
            f'{source} holds neither {CIFAR10.base_folder}/ nor train/ and test/; name "builtin", '
            '"cifar10" or a folder of pictures.'
        )
    read = [_folder(folder / split) for split in ("train", "test")]
    return _split("jpeg" if any(jpeg for _, jpeg in read) else "png", *(split for split, _ in read))


def normalise(images: Tensor) -> Tensor:
    """uint8 pictures → float32 in about -2 to 2, the same for every source."""
    return (images.float() / 255 - 0.5) / 0.25


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Moves each picture by up to an eighth of its side and mirrors every second one, all at once on their device.

    Args:
        images: (N, C, H, W) with H = W, normalised; what comes in from outside is 0.
        generator: on the CPU, so that the same is drawn whatever the device.
    """
    count, channels, height, width = images.shape
    margin = round(MARGIN * height)
    shifts = torch.randint(2 * margin + 1, (2, count, 1), generator=generator).to(images.device, non_blocking=True)
    mirrored = (torch.rand(count, 1, generator=generator) < 0.5).to(images.device, non_blocking=True)
    rows = torch.arange(height, device=images.device) + shifts[0]
    columns = torch.arange(width, device=images.device).expand(count, width)
    columns = torch.where(mirrored, width - 1 - columns, columns) + shifts[1]
    padded = functional.pad(images, (margin,) * 4)
    picture = torch.arange(count, device=images.device)[:, None, None, None]
    channel = torch.arange(channels, device=images.device)[None, :, None, None]
    return padded[picture, channel, rows[:, None, :, None], columns[:, None, None, :]]


def _split(name: str, train: PictureSet, test: PictureSet) -> Pictures:
    """Holds a tenth of the training set out, the same pictures whatever the run's seed."""
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
    held_out = min(VALIDATION, len(train) // 10)
    return Pictures(name, CLASSES, train.subset(order[held_out:]), train.subset(order[:held_out]), test)


def _cifar10(root: Path, train: bool, download: bool) -> PictureSet:
    try:
        dataset = CIFAR10(str(root), train=train, download=download)
    except (RuntimeError, urllib.error.URLError, OSError, EOFError) as error:
        folder = root / CIFAR10.base_folder
        if download:
            raise CourseError(
                f"CIFAR-10 can't be fetched into {folder} ({error}); connect to the network, or name a "
                "folder of pictures."
            ) from error
        raise CourseError(
            f'{folder} is not the whole of CIFAR-10 ({error}); remove it, or fetch it again with the name "cifar10".'
        ) from error
    return PictureSet(torch.from_numpy(dataset.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(dataset.targets))


def _folder(folder: Path) -> tuple[PictureSet, bool]:
    """The pictures of one split, and whether any of them is a JPEG."""
    try:
        found = ImageFolder(folder, is_valid_file=lambda name: Path(name).suffix.lower() in SUFFIXES)
    except OSError as error:  # no folder of classes, or one without pictures
        raise CourseError(f"{folder} is not a folder of pictures in their classes: {error}") from error
    if missing := [name for name in CLASSES if name not in found.classes]:
        raise CourseError(f"{folder} has no folder {', '.join(missing)}; it needs one for each of CIFAR-10's classes.")
    paths = [Path(path) for path, _ in found.samples]
    images = np.stack([_read(path) for path in tqdm(paths, desc=f"reading {folder.name}", leave=False)])
    labels = [CLASSES.index(found.classes[label]) for _, label in found.samples]
    jpeg = any(path.suffix.lower() != ".png" for path in paths)
    return PictureSet(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.tensor(labels)), jpeg


def _read(path: Path) -> np.ndarray:
    """One picture, (32, 32, 3) uint8."""
    pixels = read_photograph(path)
    if pixels.shape != (SIDE, SIDE, 3):
        size = f"{pixels.shape[1]} × {pixels.shape[0]}"
        raise CourseError(f"{path} is {size} pixels; pictures must be {SIDE} × {SIDE}, so scale it or remove it.")
    return pixels
