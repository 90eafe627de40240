"""Reading once: reduced images kept in memory up to a limit, and hashes of files that haven't changed."""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.files import sha256
from core.photographs import damaged

CACHE_BYTES = 1 << 30  # of reduced images that a data set keeps, in each process that reads it


class PixelCache:
    """Photographs and label maps by index, as bytes at the data set's scale: decoding costs more than the memory."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self.bytes = 0

    def get(self, index: int, read: Callable[[int], tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
        """The pair of that index, read if it isn't kept; kept from then on while there is room."""
        pair = self.kept.get(index) or read(index)
        size = sum(part.nbytes for part in pair)
        if index not in self.kept and self.bytes + size <= CACHE_BYTES:
            self.kept[index] = pair
            self.bytes += size
        return pair


def sha256_once(path: Path) -> str:
    """A file's hash, computed once in a process as long as the file (that a link leads to) stays as it is.

    Raises:
        CourseError: it can't be read.
    """
    try:
        state = path.stat()
        return _hash_of(path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise damaged(path, error) from error


@functools.cache
def _hash_of(path: Path, size: int, changed: int) -> str:
    return sha256(path)
