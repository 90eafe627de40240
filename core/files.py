"""Where the course lies, and how files appear whole or not at all."""

import contextlib
import hashlib
import json
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import psutil

from core.errors import CourseError


def _find_root() -> Path:
    """The course folder (notebooks/, files/, dataset/): around this file, or, where the packages are installed apart
    from it, around the working folder."""
    places = [Path(__file__).resolve().parent.parent, *(Path.cwd() / "x").resolve().parents]
    return next((place for place in places if (place / "notebooks").is_dir() and (place / "files").is_dir()), places[0])


ROOT = _find_root()


@contextlib.contextmanager
def write_atomically(path: str | Path) -> Iterator[Path]:
    """Gives a path beside `path` to write to; renames it on success and removes it on any failure.

    A reader therefore never meets a half-written file, whatever interrupts the writer. What a killed process left
    beside the file is removed by the next writer.

    Raises:
        CourseError: the folder cannot be written to, the disk is full, or `path` is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise CourseError(f"{path} is a folder; name a file in it.")
    temporary = path.with_name(f".{path.name}.{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        yield temporary
        _give_usual_permissions(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise CourseError(
            f"Cannot write {path}: {error.strerror or error}; free some space or name another folder."
        ) from error
    finally:
        with contextlib.suppress(OSError):  # the reason for which it can't be removed was told above
            temporary.unlink(missing_ok=True)


def _remove_leftovers(path: Path) -> None:
    """Removes the temporaries of processes that are no more."""
    for leftover in path.parent.glob(f".{path.name}.*{path.suffix}"):
        number = leftover.name.removeprefix(f".{path.name}.").removesuffix(path.suffix)
        if number.isdigit() and int(number) != os.getpid() and not psutil.pid_exists(int(number)):
            leftover.unlink(missing_ok=True)


def _give_usual_permissions(path: Path) -> None:
    """Applies the user's mask, as to any new file; some libraries write files that only the user can read."""
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(path, 0o666 & ~mask)


def check_writable(folder: str | Path) -> None:
    """Makes a folder if need be, and finds before long work whether it can be written to.

    Raises:
        CourseError: it can't.
    """
    probe = Path(folder) / f".probe.{os.getpid()}"
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CourseError(f"Cannot write to {folder}: {error.strerror or error}; name another folder.") from error


def read_text(path: str | Path) -> str:
    """A text file written by hand: UTF-8, -16 or -32, with or without a byte-order mark; characters composed (NFC).

    Raises:
        CourseError: it can't be read, or holds other bytes.
    """
    try:
        content = Path(path).read_bytes()
        return unicodedata.normalize("NFC", content.decode(json.detect_encoding(content)))
    except OSError as error:
        raise CourseError(f"Cannot read {path}: {error.strerror or error}; check its name and permissions.") from error
    except UnicodeDecodeError as error:
        raise CourseError(f"Cannot read {path}: it is not text in UTF-8 or UTF-16; save it as UTF-8.") from error


def is_writable(folder: str | Path) -> bool:
    """Whether a folder can be written to; it is made if need be."""
    try:
        check_writable(folder)
    except CourseError:
        return False
    return True


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
