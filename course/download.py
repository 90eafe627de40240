"""Fetches CMP Facade from the data set's own site, and lets nothing pass that isn't as the manifest says."""

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from core.download import download
from core.errors import CourseError
from core.files import ROOT, sha256

SITE = "https://cmp.felk.cvut.cz/~tylecr1/facade/"
ARCHIVES = ("CMP_facade_DB_base.zip", "CMP_facade_DB_extended.zip")
MANIFEST = ROOT / "dataset" / "SHA256SUMS"


def fetch_cmp(into: str | Path | None = None, site: str = SITE, manifest: Path = MANIFEST) -> None:
    """Downloads, verifies and unpacks CMP Facade's photographs and label maps.

    An interrupted download goes on where it stopped. The folder appears only when all its files are right.

    Args:
        into: the folder for base/ and extended/; dataset/cmp by default.
        site: the address of the folder with the two archives, ending in a slash.
        manifest: lines of a file's SHA-256 and its path, as sha256sum writes them.

    Raises:
        CourseError: there is no network or no such file, the disk is full, or a file isn't as it should be.
    """
    into = Path(into or ROOT / "dataset" / "cmp").resolve()
    expected = read_manifest(manifest)
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        wrong = differing(into, expected)
        if wrong:
            raise CourseError(
                f"{into} exists but isn't the complete data set ({len(wrong)} files are missing "
                f"or differ, such as {wrong[0]}); remove it or name another with --into."
            )
        print(f"{into} is complete: {len(expected)} files, all as in the manifest.")
        return
    work = into.with_name(f".{into.name}.download")
    try:
        work.mkdir(parents=True, exist_ok=True)
        unpacked = work / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        for name in ARCHIVES:
            download(site + name, work / name)
        for name in ARCHIVES:
            unpack(work / name, unpacked, expected)
        wrong = differing(unpacked, expected)
        if wrong:
            for name in ARCHIVES:  # a later run must not take them for good
                (work / name).unlink()
            raise CourseError(
                f"{len(wrong)} files from {site} are missing or differ from the manifest, such "
                f"as {wrong[0]}; run this again to download anew."
            )
        unpacked.replace(into)
        shutil.rmtree(work)
    except OSError as error:
        raise CourseError(
            f"Cannot write to {into.parent}: {error.strerror or error}; free some space or "
            "name another folder with --into."
        ) from error
    print(f"{into}: {len(expected)} files, all as in the manifest.")


def read_manifest(path: Path) -> dict[str, str]:
    """SHA-256 by path, from lines as sha256sum writes them."""
    lines = (line.split(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines() if line)
    return {name: digest for digest, name in lines}


def differing(folder: Path, expected: dict[str, str]) -> list[str]:
    """The files of the manifest that the folder lacks or holds in another form."""
    return [
        name for name, digest in expected.items() if not (folder / name).is_file() or sha256(folder / name) != digest
    ]


def unpack(archive: Path, folder: Path, expected: dict[str, str]) -> None:
    """Unpacks those files of an archive that the manifest names, which may lie under a folder of any name.

    Raises:
        CourseError: it isn't a whole zip archive, or it holds a link or a path that leaves the folder; it is
            removed, so that the next run downloads it anew.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            members = [member for member in content.infolist() if not member.is_dir()]
            for member in members:
                _refuse_unsafe(member)
            for member in members:
                path = PurePosixPath(member.filename)
                name = "/".join(path.parts[-2:])
                if name in expected:
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    with content.open(member) as source, (folder / name).open("wb") as target:
                        shutil.copyfileobj(source, target)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        archive.unlink()
        raise CourseError(
            f"{archive.name} isn't a whole zip archive ({error}); run this again to download it anew."
        ) from error
    except UnsafeArchive as error:
        archive.unlink()
        raise CourseError(f"{archive.name} holds {error}; nothing of it was unpacked.") from error


class UnsafeArchive(Exception):
    """An archive that would write where it must not."""


def _refuse_unsafe(member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.orig_filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise UnsafeArchive(f'a path that leaves its folder, "{member.filename}"')
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UnsafeArchive(f'a link, "{member.filename}"')
