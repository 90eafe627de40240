"""Files appear whole or not at all."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from core.errors import CourseError

ROOT = Path(__file__).resolve().parent.parent  # the course folder: notebooks/, files/, dataset/, runs/


@contextlib.contextmanager
def write_atomically(path: str | Path) -> Iterator[Path]:
    """Gives a path beside `path` to write to; renames it on success and removes it on any failure.

    A reader therefore never meets a half-written file, whatever interrupts the writer.

    Raises:
        CourseError: the folder cannot be written to, or the disk is full.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise CourseError(
            f"Cannot write {path}: {error.strerror or error}; free some space or name another folder."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
