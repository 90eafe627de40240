"""Unpacking archives that come from elsewhere: only what is named, never outside the folder."""

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from core.errors import CourseError

LARGEST = 1 << 28  # bytes that an archive may hold of what the manifest names; CMP Facade's two have 130 MB together
UNREADABLE = (  # what zipfile and its decompressors raise on damage
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    IndexError,
    OSError,  # bz2's, and of places that lie outside the file
    RuntimeError,  # of encrypted members, and of a method that Python doesn't know
    ValueError,
)


def unpack(archive: Path, folder: Path, expected: Mapping[str, str]) -> None:
    """Unpacks those files of an archive that the manifest names, which may lie under a folder of any name.

    torchvision's extraction takes whatever an archive holds; this one takes what the manifest names, and looks first.

    Raises:
        CourseError: it isn't a whole zip archive, it is encrypted, or it holds a link, a path that leaves the folder,
            or more than belongs there; it is removed, so that the next run downloads it anew. Or the folder can't be
            written to; the archive is kept.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            for name, member in _wanted(content, expected).items():
                _write(folder / name, content.read(member))
    except UnsafeArchive as error:
        archive.unlink()
        raise CourseError(f"{archive.name} holds {error}; nothing of it was unpacked.") from error
    except UNREADABLE as error:
        archive.unlink()
        raise CourseError(
            f"{archive.name} isn't a whole zip archive ({error}); run this again to download it anew."
        ) from error


def _wanted(content: zipfile.ZipFile, expected: Mapping[str, str]) -> dict[str, zipfile.ZipInfo]:
    """The members that the manifest names, by their names there.

    Raises:
        UnsafeArchive: any member, wanted or not, would write elsewhere, or the wanted ones are too large.
    """
    members = [member for member in content.infolist() if not member.is_dir()]
    for member in members:
        _refuse_unsafe(member)
    named = {"/".join(PurePosixPath(member.filename).parts[-2:]): member for member in members}
    wanted = {name: member for name, member in named.items() if name in expected}
    total = sum(member.file_size for member in wanted.values())
    if total > LARGEST:
        raise UnsafeArchive(f"{total / 1e6:.0f} MB, where at most {LARGEST / 1e6:.0f} belong")
    return wanted


def _write(path: Path, content: bytes) -> None:
    """Writes a file of an archive. Its errors are the disk's, which don't speak against the archive."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise unwritable(path.parent, error) from error


def unwritable(folder: Path, error: OSError) -> CourseError:
    """What to tell of a folder that can't be written to."""
    return CourseError(
        f"Cannot write to {folder}: {error.strerror or error}; free some space or name another folder with --into."
    )


class UnsafeArchive(Exception):
    """An archive that would write where it must not."""


def _refuse_unsafe(member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.orig_filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or any(":" in part for part in path.parts[:1]):
        raise UnsafeArchive(f'a path that leaves its folder, "{member.filename}"')
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UnsafeArchive(f'a link, "{member.filename}"')
