"""Photographs of facades with their label maps: the CMP Facade Database and folders in its format.

Tylecek and Sara, "Spatial Pattern Templates for Recognition of Objects with Regular Structure" (GCPR 2013).
"""

import functools
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from core.errors import CourseError
from core.files import read_text, sha256
from core.photographs import damaged, normalise, photograph_size, read_palette, read_photograph

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
VOID = 255  # the label of pixels that are not counted, such as the padding of a batch

CACHE_BYTES = 1 << 30  # of reduced images that a data set keeps, in each process that reads it

# The assignment's split, in the order base 1-378, extended 1-228.
CMP_SPLITS = {"train": 500, "val": 30, "test": 76}


class LabelledPhotographs(Dataset[tuple[Tensor, Tensor]]):
    """Photographs with a label map each: what every data set of the course is made of.

    Args:
        root: the folder that the files' names are told from.
        split: "train", "val" or "test".
        pairs: photograph and label map, one of each for every item.
        scale: factor on the sides; photographs are reduced by area averaging, labels by nearest neighbour.

    Items are (image, label): float32 (3, H, W) normalised with ImageNet's mean and deviation, and int64 (H, W), the
    classes in the order of `classes`, or VOID.

    Raises:
        CourseError: scale is not above 0, or a file is missing; on reading, a file is damaged or doesn't fit.
    """

    classes: tuple[str, ...]

    def __init__(
        self,
        root: Path,
        split: str,
        pairs: Sequence[tuple[Path, Path]],
        scale: float,
    ) -> None:
        if scale <= 0:
            raise CourseError(f"scale is {scale}; give a factor above 0, such as 0.5 for half size.")
        self.root, self.split, self.pairs, self.scale = root, split, pairs, scale
        for photograph, label_map in pairs:
            for path in (photograph, label_map):
                if not path.is_file():
                    raise CourseError(
                        f"{path} is missing; every photograph needs its label map and the other way "
                        "round: fetch or copy the file again."
                    )
        self._sizes: dict[int, tuple[int, int]] = {}
        self._read: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # reduced, as bytes: decoding costs more
        self._read_bytes = 0

    def read_label(self, path: Path) -> np.ndarray:
        """The label map in a file: (H, W) uint8, classes from 0 or VOID.

        Raises:
            CourseError: the file is damaged, or holds a value that is no class.
        """
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        pixels, label = self.pixels(index)
        return normalise(pixels), torch.from_numpy(label).long()

    def pixels(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """A photograph and its label map at the data set's scale, uint8 (H, W, 3) and (H, W), not to be changed."""
        pixels, label = self._read.get(index) or self._read_pair(index)
        if index not in self._read and self._read_bytes + pixels.nbytes + label.nbytes <= CACHE_BYTES:
            self._read[index] = pixels, label
            self._read_bytes += pixels.nbytes + label.nbytes
        return pixels, label

    def _read_pair(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        photograph, path = self.pairs[index]
        pixels, label = read_photograph(photograph), self.read_label(path)
        if label.shape != pixels.shape[:2]:
            raise CourseError(
                f"{path} is {label.shape[::-1]} pixels but its photograph {pixels.shape[1::-1]}; "
                "the two belong together pixel by pixel: replace one of them."
            )
        size = [max(1, round(side * self.scale)) for side in label.shape[::-1]]
        return (
            cv2.resize(pixels, size, interpolation=cv2.INTER_AREA),
            cv2.resize(label, size, interpolation=cv2.INTER_NEAREST_EXACT),
        )

    def size(self, index: int) -> tuple[int, int]:
        """Width and height of the photograph's file, read from its header."""
        if index not in self._sizes:
            self._sizes[index] = photograph_size(self.pairs[index][0])
        return self._sizes[index]

    def name(self, index: int) -> str:
        """The photograph's file, from the root on."""
        return str(self.pairs[index][0].relative_to(self.root))

    def sha256(self) -> str:
        """One hash over the names and bytes of the split's files, so that results can say what they saw."""
        digest = hashlib.sha256()
        for pair in self.pairs:
            for path in pair:
                digest.update(path.name.encode() + bytes.fromhex(_hash_once(path)))
        return digest.hexdigest()


def _hash_once(path: Path) -> str:
    """A file's hash, computed once in a process as long as the file stays as it is."""
    try:
        state = path.stat()
        return _hash_of(path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise damaged(path, error) from error


@functools.cache
def _hash_of(path: Path, size: int, changed: int) -> str:
    return sha256(path)


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
        if split not in CMP_SPLITS:
            raise CourseError(f'Unknown split "{split}"; choose one of {", ".join(CMP_SPLITS)}.')
        root = Path(root)
        photographs, counts = _photographs(root), _split_counts(root)
        if len(photographs) != sum(counts.values()):
            raise CourseError(
                f"{root} holds {len(photographs)} photographs where {sum(counts.values())} belong; {_advice(root)}."
            )
        first = {"train": 0, "val": counts["train"], "test": counts["train"] + counts["val"]}[split]
        pairs = [(path, path.with_suffix(".png")) for path in photographs[first : first + counts[split]]]
        super().__init__(root, split, pairs, scale)

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
    """What a record says of its data: the folder's name, one hash over all splits, their sizes and the scale."""
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
        return functional.pad(tensor, (0, width - tensor.shape[-1], 0, height - tensor.shape[-2]), value=value)

    return (
        torch.stack([padded(image, 0.0) for image, _ in items]),
        torch.stack([padded(label, VOID) for _, label in items]),
    )


def _advice(root: Path) -> str:
    """How to mend a folder that isn't whole, by where it comes from."""
    if (root / "drawn.txt").is_file():
        return "remove it, and it is drawn anew"
    return (
        "fetch it again with `course data cmp` (of your own data, say in splits.json how many train, validate and test)"
    )


def _photographs(root: Path) -> list[Path]:
    missing = [name for name in ("base", "extended") if not (root / name).is_dir()]
    if missing:
        raise CourseError(
            f"{root} has no folder {missing[0]}/; give the folder that holds base/ and extended/, "
            "or fetch the data with `course data cmp`."
        )
    try:
        return [
            path
            for name in ("base", "extended")
            for path in sorted((root / name).iterdir())
            if path.suffix.lower() in (".jpg", ".jpeg") and not path.name.startswith(".")
        ]
    except OSError as error:
        raise CourseError(f"Cannot read {root}: {error.strerror or error}; check its permissions.") from error


def _split_counts(root: Path) -> dict[str, int]:
    path = root / "splits.json"
    if not path.is_file():
        return CMP_SPLITS
    try:
        read = json.loads(read_text(path))
        counts = {split: read[name] for split, name in (("train", "train"), ("val", "validation"), ("test", "test"))}
        if not all(isinstance(count, int) and not isinstance(count, bool) and count >= 0 for count in counts.values()):
            raise ValueError("not whole numbers")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f'{path} is not of the form {{"train": 160, "validation": 32, "test": 48}}; mend or remove it.'
        ) from error
    return counts
