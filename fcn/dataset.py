"""Photographs of facades with their label maps: the CMP Facade Database and folders in its format.

Tylecek and Sara, "Spatial Pattern Templates for Recognition of Objects with Regular Structure" (GCPR 2013).
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from core.errors import CourseError, check_name
from core.photographs import normalise, photograph_size, read_palette, read_photograph
from fcn.caches import PixelCache, sha256_once
from fcn.cmp_layout import cmp_photographs, split_counts
from fcn.label_maps import VOID, check_fit

CLASSES = (
    "background",
    "facade",
    "window",
    "door",
    "cornice",
    "sill",
    "balcony",
    "blind",
    "deco",
    "molding",
    "pillar",
    "shop",
)


class LabelledPhotographs(Dataset[tuple[Tensor, Tensor]]):
    """Photographs with a label map each: the base class of every data set of the course.

    Args:
        root: the folder to which the files' names are relative.
        split: "train", "val" or "test".
        pairs: photograph and label map, one of each for every item.
        scale: factor on the sides; photographs are reduced by area averaging, labels by nearest neighbour.

    Items are (image, label): float32 (3, H, W) normalised with ImageNet's mean and deviation, and int64 (H, W), the
    classes in the order of `classes`, or VOID.

    Raises:
        CourseError: scale is not above 0, or a file is missing; on reading, a file is damaged or doesn't fit.
    """

    classes: tuple[str, ...]

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        pixels, label = self.pixels(index)
        return normalise(pixels), torch.from_numpy(label).long()

    def pixels(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """A photograph and its label map at the data set's scale, uint8 (H, W, 3) and (H, W), not to be changed."""
        return self._cache.get(index, self._read_pair)

    def _read_pair(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        photograph, path = self.pairs[index]
        pixels, label = read_photograph(photograph), self.read_label(path)
        check_fit(photograph, pixels, path, label)
        size = [max(1, round(side * self.scale)) for side in label.shape[::-1]]
        return (
            cv2.resize(pixels, size, interpolation=cv2.INTER_AREA),
            cv2.resize(label, size, interpolation=cv2.INTER_NEAREST_EXACT),
        )

    def read_label(self, path: Path) -> np.ndarray:
        """The label map in a file: (H, W) uint8, classes from 0 or VOID.

        Raises:
            CourseError: the file is damaged, or holds a value that is no class.
        """
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.pairs)

    def __init__(self, root: Path, split: str, pairs: Sequence[tuple[Path, Path]], scale: float) -> None:
        if not 0 < scale < float("inf"):
            raise CourseError(f"scale is {scale}; give a factor above 0, such as 0.5 for half size.")
        self.root, self.split, self.pairs, self.scale = root, split, pairs, scale
        self._cache = PixelCache()
        self._sizes: dict[int, tuple[int, int]] = {}
        for pair in pairs:
            for path in pair:
                if not path.is_file():
                    raise CourseError(
                        f"{path} is missing; every photograph needs its label map and the other way "
                        "round: fetch or copy the file again."
                    )

    def size(self, index: int) -> tuple[int, int]:
        """Width and height of the photograph at scale 1, read from its file's header."""
        if index not in self._sizes:
            self._sizes[index] = photograph_size(self.pairs[index][0])
        return self._sizes[index]

    def name(self, index: int) -> str:
        """The photograph's path relative to root, or in full if it lies elsewhere."""
        photograph, _ = self.pairs[index]
        return str(photograph.relative_to(self.root) if photograph.is_relative_to(self.root) else photograph)

    def sha256(self) -> str:
        """One hash over the names and bytes of the split's files, so that results can say what they saw."""
        digest = hashlib.sha256()
        for pair in self.pairs:
            for path in pair:
                digest.update(path.name.encode() + bytes.fromhex(sha256_once(path)))
        return digest.hexdigest()


class CMPFacade(LabelledPhotographs):
    """One split of the CMP Facade Database, or of another folder in its format.

    The files are `base/*.jpg` and `extended/*.jpg`, each with a palette PNG of labels 1..12 beside it, in the order
    of their names. The first 500 train, the next 30 validate, the last 76 test; a file `splits.json`
    (`{"train": 160, "validation": 32, "test": 48}`) sets other counts for other data.

    Args:
        root: the folder that holds base/ and extended/.
        split, scale: as for `LabelledPhotographs`. Labels are 0..11.

    Raises:
        CourseError: an unknown split, or files are missing; on reading, as `LabelledPhotographs`.
    """

    classes = CLASSES

    def __init__(self, root: str | Path, split: str = "train", scale: float = 0.5) -> None:
        root = Path(root)
        counts = split_counts(root)
        check_name("split", split, counts)
        first = {"train": 0, "val": counts["train"], "test": counts["train"] + counts["val"]}[split]
        photographs = cmp_photographs(root, sum(counts.values()))[first : first + counts[split]]
        super().__init__(root, split, [(path, path.with_suffix(".png")) for path in photographs], scale)

    def read_label(self, path: Path) -> np.ndarray:
        """(H, W) uint8 in 0..11; the files count from 1."""
        label = read_palette(path)
        if not 1 <= label.min() <= label.max() <= len(CLASSES):
            wrong = label.min() if label.min() < 1 else label.max()
            raise CourseError(
                f"{path} holds the label {wrong}; labels are 1..{len(CLASSES)}, "
                "in the order of label_names.txt: draw it again."
            )
        return label - 1


def class_weights(dataset: LabelledPhotographs) -> Tensor:
    """A weight for each class: one over the square root of its share of the pixels, float32 (classes,).

    Scaled so that the mean over the counted pixels is 1; 0 for a class that doesn't occur. That is half-way between no
    weights, with which a class of one pixel in a hundred hardly counts, and one over the share, with which it counts as
    much as the largest and is seen everywhere.
    """
    counts = np.zeros(len(dataset.classes))
    for index in range(len(dataset)):
        _, label = dataset.pixels(index)
        counts += np.bincount(label[label != VOID], minlength=len(counts))
    weights = np.divide(1, np.sqrt(counts), out=np.zeros_like(counts), where=counts > 0)
    return torch.from_numpy(weights * counts.sum() / (weights * counts).sum()).float()


def describe(*datasets: LabelledPhotographs) -> dict[str, object]:
    """A record's entry on its data: the folder's name, one hash over all splits, their sizes and the scale."""
    hashes = "".join(dataset.sha256() for dataset in datasets)
    return {
        "name": datasets[0].root.name,
        "sha256": hashlib.sha256(hashes.encode()).hexdigest(),
        "images": {dataset.split: len(dataset) for dataset in datasets},
        "scale": datasets[0].scale,
        "classes": list(datasets[0].classes),
    }


def collate(items: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """A batch of images of several sizes: padded below and to the right with mean grey, labelled void."""
    height = max(label.shape[0] for _, label in items)
    width = max(label.shape[1] for _, label in items)

    def padded(tensor: Tensor, value: float) -> Tensor:
        return F.pad(tensor, (0, width - tensor.shape[-1], 0, height - tensor.shape[-2]), value=value)

    return (
        torch.stack([padded(image, 0.0) for image, _ in items]),
        torch.stack([padded(label, VOID) for _, label in items]),
    )
