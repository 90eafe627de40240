"""Tiny ImageNet: 100,000 photographs of 64 × 64 pixels in 200 of ImageNet's classes, and 10,000 to validate on.

Stanford's course CS231n (2015) made it for its students. The small weights of the course are trained on it.
"""

import hashlib
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from core.errors import CourseError
from core.files import ROOT, sha256, write_atomically
from core.photographs import read_photograph

FOLDER = ROOT / "dataset" / "tinyimagenet" / "tiny-imagenet-200"
SIDE, CLASSES, OF_EACH = 64, 200, {"train": 500, "val": 50}


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
    order = {wnid: place for place, wnid in enumerate(_wnids(folder))}
    listed = [(path, order[wnid]) for path, wnid in _listed(split, folder) if wnid in order]
    shape = (CLASSES * OF_EACH[split], SIDE, SIDE, 3)
    if len(listed) != shape[0]:
        raise _not_whole(folder, f"{split} holds {len(listed)} of {shape[0]} photographs")
    decoded = folder / f"{split}.npy"
    if not decoded.is_file():
        photographs = np.empty(shape, np.uint8)
        for place, (path, _) in enumerate(tqdm(listed, desc=f"decoding {split}", disable=None)):
            photograph = read_photograph(path)
            if photograph.shape != shape[1:]:
                raise _not_whole(folder, f"{path.name} isn't of {SIDE} × {SIDE} pixels")
            photographs[place] = photograph
        with write_atomically(decoded) as temporary:
            np.save(temporary, photographs)
    try:
        photographs = np.load(decoded, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        photographs = None
    if photographs is None or photographs.shape != shape or photographs.dtype != np.uint8:
        raise CourseError(f"{decoded} doesn't hold what the course wrote there; remove it, and it is made anew.")
    return photographs, np.array([place for _, place in listed])


def class_names(folder: Path = FOLDER) -> list[str]:
    """The first of each class's names in words, in order.

    Raises:
        CourseError: a list is missing or not whole.
    """
    words = dict(line.split("\t", 1) for line in _lines(folder, "words.txt") if "\t" in line)
    if missing := [wnid for wnid in _wnids(folder) if wnid not in words]:
        raise _not_whole(folder, f"words.txt has no name for {missing[0]}")
    return [words[wnid].split(",")[0] for wnid in _wnids(folder)]


def describe(folder: Path = FOLDER) -> dict[str, object]:
    """A record's entry on this data set, once both splits are decoded; the hash is of the decoded photographs."""
    hashes = "".join(sha256(folder / f"{split}.npy") for split in OF_EACH)
    return {
        "name": "Tiny ImageNet",
        "sha256": hashlib.sha256(hashes.encode()).hexdigest(),
        "images": {split: CLASSES * count for split, count in OF_EACH.items()},
        "classes": class_names(folder),
    }


def _wnids(folder: Path) -> list[str]:
    """The classes' identifiers in WordNet, in the order in which the course counts them."""
    wnids = _lines(folder, "wnids.txt")
    if len(set(wnids)) != CLASSES:
        raise _not_whole(folder, f"wnids.txt names {len(set(wnids))} of {CLASSES} classes")
    return wnids


def _listed(split: str, folder: Path) -> list[tuple[Path, str]]:
    """Each photograph and its class's identifier, in a fixed order."""
    if split == "train":
        paths = sorted((folder / "train").glob("*/images/*.JPEG"))
        return [(path, path.parent.parent.name) for path in paths]
    images = folder / "val" / "images"
    there = {path.name for path in images.glob("*.JPEG")}
    rows = (line.split("\t") for line in _lines(folder, "val/val_annotations.txt"))
    return [(images / row[0], row[1]) for row in rows if row[0] in there and len(row) > 1]


def _lines(folder: Path, name: str) -> list[str]:
    if not folder.is_dir():
        raise CourseError(
            f"There is no Tiny ImageNet in {folder}; fetch it with `course data tinyimagenet`, or name its folder with "
            "--data."
        )
    try:
        return (folder / name).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise _not_whole(folder, f"{name} is missing or unreadable") from error


def _not_whole(folder: Path, reason: str) -> CourseError:
    return CourseError(
        f"{folder} isn't the whole of Tiny ImageNet: {reason}; remove it and fetch it with `course data tinyimagenet`."
    )
