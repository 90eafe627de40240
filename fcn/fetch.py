"""Fetches the data sets from their own sites; each appears whole and verified, or not at all."""

import contextlib
import shutil
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import torchvision
from torchvision.datasets import SBDataset

from core.download import download
from core.errors import CourseError, check_name
from core.files import ROOT, sha256
from fcn import tiny_imagenet
from fcn.voc import VOC, YEARS, voc_folder

SITE = "https://cmp.felk.cvut.cz/~tylecr1/facade/"
ARCHIVES = ("CMP_facade_DB_base.zip", "CMP_facade_DB_extended.zip")
MANIFEST = ROOT / "dataset" / "SHA256SUMS"
TINY_IMAGENET = ("http://cs231n.stanford.edu/tiny-imagenet-200.zip", "90528d7ca1a48142e341f4ef8d21d0de")  # and its MD5


def fetch_cmp(into: str | Path | None = None, site: str = SITE, manifest: Path = MANIFEST) -> None:
    """Downloads, verifies and unpacks CMP Facade's photographs and label maps.

    Args:
        into: the folder for base/ and extended/; dataset/cmp by default.
        site: the address of the folder with the two archives, ending in a slash.
        manifest: lines of a file's SHA-256 and its path, as sha256sum writes them.

    Raises:
        CourseError: there is no network or no such file, the disk is full, or a file isn't as it should be.
    """
    into, expected = _folder(into, "cmp"), read_manifest(manifest)
    if into.is_dir() and any(into.iterdir()):
        wrong = differing(into, expected)
        if wrong:
            raise CourseError(
                f"{into} exists but isn't the complete data set ({len(wrong)} files are missing "
                f"or differ, such as {wrong[0]}); remove it or name another with --into."
            )
        print(f"{into} is complete: {len(expected)} files, all as in the manifest.")
        return
    with _beside(into) as work:
        for name in ARCHIVES:
            download(site + name, work / name)
            for file, content in named_files(work / name, expected):  # no other name is written, wherever it points
                (work / "whole" / file).parent.mkdir(parents=True, exist_ok=True)
                (work / "whole" / file).write_bytes(content)
        wrong = differing(work / "whole", expected)
        if wrong:
            raise CourseError(
                f"{len(wrong)} files from {site} are missing or differ from the manifest, such "
                f"as {wrong[0]}; run this again to download anew."
            )
        _appear(work / "whole", into)
    print(f"{into}: {len(expected)} files, all as in the manifest.")


def read_manifest(path: Path) -> dict[str, str]:
    """SHA-256 by path, from lines as sha256sum writes them."""
    lines = (line.split(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines() if line)
    return {name: digest for digest, name in lines}


def differing(folder: Path, expected: Mapping[str, str]) -> list[str]:
    """The files of the manifest that the folder lacks or holds in another form."""
    return [
        name for name, digest in expected.items() if not (folder / name).is_file() or sha256(folder / name) != digest
    ]


def named_files(archive: Path, expected: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Yields name and content of those files in a zip archive that the manifest names, in whatever folder they lie.

    Raises:
        CourseError: it isn't a whole zip archive.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            for member in content.infolist():
                name = "/".join(PurePosixPath(member.filename).parts[-2:])
                if name in expected:
                    yield name, content.read(member)
    except Exception as error:  # zipfile and its decompressors raise anything on damage: BadZipFile, zlib.error, …
        raise CourseError(
            f"{archive.name} isn't a whole zip archive ({error}); run this again to download anew."
        ) from error


def fetch_voc(into: str | Path | None = None, year: str = "2012") -> None:
    """Downloads and unpacks VOC's training and validation images, about 2 GB for 2012.

    Args:
        into: the folder for VOCdevkit/; dataset/voc by default.
        year: "2007" to "2012".

    Raises:
        CourseError: an unknown year, no network, no space, or an archive that isn't as it should be.
    """
    check_name("year of VOC's segmentation", year, YEARS)
    into = _folder(into, "voc")
    archive = torchvision.datasets.voc.DATASET_YEAR_DICT[year]
    _fetch_archive(archive["url"], archive["md5"], voc_folder(year), into / voc_folder(year))
    print(f"{into}: {len(VOC(into, 'test', year=year))} validation images of VOC {year}")


def fetch_sbd(into: str | Path | None = None) -> None:
    """Downloads and unpacks SBD's images and label maps, about 1.4 GB.

    Args:
        into: the folder for img/, cls/, train.txt and val.txt; dataset/sbd by default.

    Raises:
        CourseError: as `fetch_voc`.
    """
    into = _folder(into, "sbd")
    if into.is_dir() and any(into.iterdir()) and not (into / "val.txt").is_file():
        raise CourseError(f"{into} exists but isn't the whole of SBD; remove it or name another with --into.")
    _fetch_archive(SBDataset.url, SBDataset.md5, "benchmark_RELEASE/dataset", into)
    print(f"{into}: SBD's images and label maps")


def fetch_tiny_imagenet(into: str | Path | None = None) -> None:
    """Downloads and unpacks Tiny ImageNet, 248 MB, and decodes its photographs, another 1.4 GB.

    Args:
        into: the folder for tiny-imagenet-200/; dataset/tinyimagenet by default.

    Raises:
        CourseError: as `fetch_voc`, or what is there isn't whole.
    """
    name = tiny_imagenet.FOLDER.name
    folder = _folder(into, "tinyimagenet") / name
    _fetch_archive(*TINY_IMAGENET, name, folder)
    train, validation = (len(tiny_imagenet.load_photographs(split, folder)[1]) for split in ("train", "val"))
    print(f"{folder}: {train} photographs to train on and {validation} to validate on")


def _folder(into: str | Path | None, name: str) -> Path:
    """The folder for a data set, which need not exist."""
    folder = Path(into or ROOT / "dataset" / name).resolve()
    if folder.exists() and not folder.is_dir():
        raise CourseError(f"{folder} is a file; name a folder with --into.")
    return folder


def _fetch_archive(address: str, md5: str, inner: str, place: Path) -> None:
    """Downloads and verifies an archive, and puts one of its folders in its place; does nothing where one is.

    Args:
        address, md5: of the archive.
        inner: the folder in it.
        place: where that is to lie.
    """
    if place.is_dir() and any(place.iterdir()):
        return
    with _beside(place) as work:
        archive = work / address.rsplit("/", 1)[-1]
        download(address, archive, f"md5:{md5}")
        safe = {} if archive.suffix == ".zip" else {"filter": "data"}  # zip's own is always safe
        shutil.unpack_archive(archive, work / "unpacked", **safe)
        _appear(work / "unpacked" / inner, place)


@contextlib.contextmanager
def _beside(place: Path) -> Iterator[Path]:
    """A folder beside a data set's place for what isn't whole yet; it is emptied before and removed in the end."""
    work = place.with_name(f".{place.name}.download")
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        yield work
    except (OSError, tarfile.TarError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CourseError(
            f"Cannot write to {place.parent}: {reason}; free some space or name another folder with --into."
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _appear(whole: Path, place: Path) -> None:
    """Puts a complete folder in its place in one step; an empty one that is there makes way."""
    if place.is_dir():
        place.rmdir()
    whole.replace(place)
