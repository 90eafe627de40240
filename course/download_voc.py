"""Fetches PASCAL VOC and SBD through torchvision, which verifies the archives' checksums."""

import http.client
from collections.abc import Callable
from pathlib import Path

from torchvision.datasets import SBDataset, VOCSegmentation

from core.errors import CourseError
from core.files import ROOT
from fcn.voc import VOC, YEARS


def fetch_voc(into: str | Path | None = None, year: str = "2012") -> None:
    """Downloads and unpacks VOC's training and validation images, about 2 GB for 2012.

    Args:
        into: the folder for VOCdevkit/; dataset/voc by default.
        year: "2007" to "2012".

    Raises:
        CourseError: an unknown year, no network, no space, or an archive that isn't as it should be.
    """
    if year not in YEARS:
        raise CourseError(f'There is no VOC segmentation of the year "{year}"; choose one of {", ".join(YEARS)}.')
    folder = Path(into or ROOT / "dataset" / "voc").resolve()
    _fetch(f"VOC {year}", folder, lambda: VOCSegmentation(folder, year, image_set="train", download=True))
    print(f"{folder}: {len(VOC(folder, 'test', year=year))} validation images of VOC {year}")


def fetch_sbd(into: str | Path | None = None) -> None:
    """Downloads and unpacks SBD's images and label maps, about 1.4 GB.

    Args:
        into: the folder for img/, cls/, train.txt and val.txt; dataset/sbd by default.

    Raises:
        CourseError: as `fetch_voc`.
    """
    folder = Path(into or ROOT / "dataset" / "sbd").resolve()
    if (folder / "val.txt").is_file():  # the last one that torchvision puts in place
        print(f"{folder} is there already.")
        return
    _fetch("SBD", folder, lambda: SBDataset(folder, image_set="train", mode="segmentation", download=True))
    print(f"{folder}: SBD's images and label maps")


def _fetch(title: str, folder: Path, download: Callable[[], object]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        download()
    except (OSError, RuntimeError, http.client.HTTPException) as error:  # RuntimeError: a wrong checksum
        raise CourseError(
            f"{title} can't be fetched into {folder} ({error}); check the network and the free space and "
            "run this again."
        ) from error
