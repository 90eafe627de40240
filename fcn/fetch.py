"""Fetches the data sets from their own sites, and lets nothing pass that isn't as it should be."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import torchvision
from torchvision.datasets import SBDataset, VOCSegmentation
from torchvision.datasets.utils import check_integrity, extract_archive

from core.download import download
from core.errors import CourseError, check_name
from core.files import ROOT, sha256
from fcn import tiny_imagenet
from fcn.archives import unpack, unwritable
from fcn.voc import VOC, YEARS, voc_folder

SITE = "https://cmp.felk.cvut.cz/~tylecr1/facade/"
ARCHIVES = ("CMP_facade_DB_base.zip", "CMP_facade_DB_extended.zip")
TINY_IMAGENET = ("http://cs231n.stanford.edu/tiny-imagenet-200.zip", "90528d7ca1a48142e341f4ef8d21d0de")  # and its MD5
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
        _appear(unpacked, into)
        shutil.rmtree(work)
    except OSError as error:
        raise unwritable(into.parent, error) from error
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


def _appear(whole: Path, into: Path) -> None:
    """Puts a complete folder in its place in one step; an empty one that is there makes way."""
    if into.is_dir():
        into.rmdir()
    whole.replace(into)


def fetch_voc(into: str | Path | None = None, year: str = "2012") -> None:
    """Downloads and unpacks VOC's training and validation images, about 2 GB for 2012.

    torchvision says where the archive is, verifies and unpacks it.

    Args:
        into: the folder for VOCdevkit/; dataset/voc by default.
        year: "2007" to "2012".

    Raises:
        CourseError: an unknown year, no network, no space, or an archive that isn't as it should be.
    """
    check_name("year of VOC's segmentation", year, YEARS)
    into = Path(into or ROOT / "dataset" / "voc").resolve()
    if into.exists() and not into.is_dir():
        raise CourseError(f"{into} is a file; name a folder with --into.")
    if not (into / voc_folder(year)).is_dir():
        archive = torchvision.datasets.voc.DATASET_YEAR_DICT[year]

        def unpack_into(work: Path) -> None:
            VOCSegmentation(work, year, image_set="train", download=True)

        with _fetched(archive["url"], archive["filename"], archive["md5"], into, unpack_into) as work:
            (into / voc_folder(year)).parent.mkdir(parents=True, exist_ok=True)
            (work / voc_folder(year)).replace(into / voc_folder(year))
    print(f"{into}: {len(VOC(into, 'test', year=year))} validation images of VOC {year}")


def fetch_sbd(into: str | Path | None = None) -> None:
    """Downloads and unpacks SBD's images and label maps, about 1.4 GB.

    Args:
        into: the folder for img/, cls/, train.txt and val.txt; dataset/sbd by default.

    Raises:
        CourseError: as `fetch_voc`.
    """
    into = Path(into or ROOT / "dataset" / "sbd").resolve()
    if (into / "val.txt").is_file():
        print(f"{into} is there already.")
        return
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise CourseError(f"{into} exists but isn't the whole of SBD; remove it or name another with --into.")

    def unpack_into(work: Path) -> None:
        SBDataset(work, image_set="train", mode="segmentation", download=True)

    with _fetched(SBDataset.url, SBDataset.filename, SBDataset.md5, into, unpack_into) as work:
        whole = work / "whole"
        whole.mkdir()
        for name in ("img", "cls", "inst", "train.txt", "val.txt"):
            (work / name).replace(whole / name)
        _appear(whole, into)
    print(f"{into}: SBD's images and label maps")


def fetch_tiny_imagenet(into: str | Path | None = None) -> None:
    """Downloads and unpacks Tiny ImageNet, 248 MB, and decodes its photographs, another 1.4 GB.

    Args:
        into: the folder for tiny-imagenet-200/; dataset/tinyimagenet by default.

    Raises:
        CourseError: as `fetch_voc`, or what is there isn't whole.
    """
    into = Path(into or tiny_imagenet.FOLDER.parent).resolve()
    if into.exists() and not into.is_dir():
        raise CourseError(f"{into} is a file; name a folder with --into.")
    folder = into / tiny_imagenet.FOLDER.name
    if not folder.exists():
        address, md5 = TINY_IMAGENET
        name = address.rsplit("/", 1)[-1]

        def unpack_into(work: Path) -> None:
            extract_archive(work / name, work)

        with _fetched(address, name, md5, into, unpack_into) as work:
            into.mkdir(parents=True, exist_ok=True)
            (work / folder.name).replace(folder)
    train, validation = (len(tiny_imagenet.load_photographs(split, folder)[1]) for split in ("train", "val"))
    print(f"{folder}: {train} photographs to train on and {validation} to validate on")


@contextlib.contextmanager
def _fetched(address: str, name: str, md5: str, into: Path, unpack_into: Callable[[Path], None]) -> Iterator[Path]:
    """Downloads an archive beside a folder and has it unpacked there; removes all of it when it is in its place.

    An unpacking that was cut off is begun anew, from the archive that is there.

    Args:
        address, name, md5: of the archive.
        unpack_into: verifies and unpacks it in the folder it is given.
    """
    work = into.with_name(f".{into.name}.download")
    try:
        for left in work.iterdir() if work.is_dir() else ():
            if left.name.removesuffix(".part") != name:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        download(address, work / name)
        if not check_integrity(str(work / name), md5):
            (work / name).unlink()
            raise CourseError(f"{name} from {address} arrived damaged; run this again to download it anew.")
        unpack_into(work)
        yield work
        shutil.rmtree(work)
    except (OSError, RuntimeError) as error:
        raise CourseError(f"Cannot unpack {name} in {work} ({error}); free some space and run this again.") from error
