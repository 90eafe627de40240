"""Tiny ImageNet: 100,000 photographs of 64 × 64 pixels in 200 of ImageNet's classes, and 10,000 to validate on.

Stanford's course CS231n (2015) made it for its students. The small weights of the course are trained on it.
"""

import hashlib
from pathlib import Path

import numpy as np

from core.errors import CourseError
from core.files import ROOT, sha256, write_atomically
from core.photographs import read_photograph

FOLDER = ROOT / "dataset" / "tinyimagenet" / "tiny-imagenet-200"
SIDE, CLASSES, OF_EACH = 64, 200, {"train": 500, "val": 50}
FETCH = "fetch it with `course data tinyimagenet`"


def load_photographs(split: str, folder: Path = FOLDER) -> tuple[np.ndarray, np.ndarray]:
    """All photographs of a split, and their classes.

    They are decoded once, into `<split>.npy` beside them, and mapped into memory from there.

    Args:
        split: "train" or "val".
        folder: tiny-imagenet-200.

    Returns:
        photographs: (N, 64, 64, 3) uint8.
        classes: (N,) int64, places in `class_names`.

    Raises:
        CourseError: the data set is missing or not whole, or a photograph is damaged.
    """
    order = {name: number for number, name in enumerate(_wnids(folder))}
    listed = _listed(split, folder)
    count = CLASSES * OF_EACH[split]
    if len(listed) != count or any(wnid not in order for _, wnid in listed):
        raise CourseError(f"{folder} holds {len(listed)} photographs to {split} where {count} belong; {FETCH}.")
    decoded = folder / f"{split}.npy"
    if not decoded.is_file():
        photographs = np.empty((count, SIDE, SIDE, 3), np.uint8)
        for number, (path, _) in enumerate(listed):
            photographs[number] = read_photograph(path)
        with write_atomically(decoded) as temporary:
            np.save(temporary, photographs)
    return np.load(decoded, mmap_mode="r"), np.array([order[wnid] for _, wnid in listed])


def class_names(folder: Path = FOLDER) -> list[str]:
    """The 200 classes' names in words, in order."""
    words = dict(line.split("\t", 1) for line in _read(folder / "words.txt"))
    return [words[wnid] for wnid in _wnids(folder)]


def describe(folder: Path = FOLDER) -> dict[str, object]:
    """What a record says of this data set; the hash is of the decoded photographs."""
    hashes = "".join(sha256(folder / f"{split}.npy") for split in OF_EACH)
    return {
        "name": "Tiny ImageNet",
        "sha256": hashlib.sha256(hashes.encode()).hexdigest(),
        "images": {split: CLASSES * count for split, count in OF_EACH.items()},
    }


def _wnids(folder: Path) -> list[str]:
    return _read(folder / "wnids.txt")


def _listed(split: str, folder: Path) -> list[tuple[Path, str]]:
    """Each photograph and its class's identifier, in a fixed order."""
    if split == "train":
        paths = sorted((folder / "train").glob("*/images/*.JPEG"))
        return [(path, path.parent.parent.name) for path in paths]
    rows = [line.split("\t")[:2] for line in _read(folder / "val" / "val_annotations.txt")]
    there = {path.name for path in (folder / "val" / "images").glob("*.JPEG")}
    return [(folder / "val" / "images" / name, wnid) for name, wnid in rows if name in there]


def _read(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise CourseError(f"{path} is missing; {FETCH}.") from error
