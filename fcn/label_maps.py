"""Whether label maps can be trusted: drawn on the photograph as it is shown, and never interpolated."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from core.errors import CourseError
from core.photographs import orientation

VOID = 255  # the label of pixels that are not counted, such as the padding of a batch
BLURRED = 0.18  # share of an interpolated map's edges, at least; of eight exact maps at most 0.11, on any data tried
EDGES = 200  # pixels of edges, from which on that share says something


def check_fit(photograph: Path, pixels: np.ndarray, path: Path, label: np.ndarray) -> None:
    """Raises CourseError unless a label map certainly lies on its photograph's pixels as they are shown."""
    height, width = pixels.shape[:2]
    turn = orientation(photograph)
    if label.shape != (height, width) and (turn == 1 or label.shape != (width, height)):
        raise CourseError(
            f"{path} is {label.shape[::-1]} pixels but its photograph {(width, height)}; "
            "the two belong together pixel by pixel: replace one of them."
        )
    if turn != 1 and (label.shape == (width, height) or turn < 5):  # from 5 on width and height change places
        raise CourseError(
            f"{photograph} is turned or mirrored by its EXIF entry, and {path.name} may lie on its pixels as they are "
            "stored; save the photograph upright, without that entry, and the map to match."
        )


def check_exact(root: Path, labels: Iterable[np.ndarray]) -> None:
    """Raises CourseError if label maps were resized with interpolation.

    Half-way between class 2 and class 9, interpolation makes up a class 5. Exact maps have such steps too, where three
    parts adjoin, but few of them.

    Args:
        root: the data set's folder.
        labels: several of its maps, (H, W) uint8, at their files' size.
    """
    blurred = sharp = 0
    for label in labels:
        for rows in (label.astype(np.int16), label.T.astype(np.int16)):
            left, middle, right = rows[:, :-2], rows[:, 1:-1], rows[:, 2:]
            edge = (np.abs(left - right) > 1) & (np.maximum(left, right) != VOID)
            blurred += (edge & (middle > np.minimum(left, right)) & (middle < np.maximum(left, right))).sum()
            sharp += (edge & ((middle == left) | (middle == right))).sum() / 2  # each is met twice
    if blurred + sharp >= EDGES and blurred > BLURRED * (blurred + sharp):
        raise CourseError(
            f"{root} holds label maps that were resized with interpolation, which makes up classes along "
            f"{blurred / (blurred + sharp):.0%} of the edges; resize them anew, by nearest neighbour."
        )
