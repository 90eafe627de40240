"""The data sets: one entry each says how it is found, made or fetched, and which class reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pooch

from core.errors import CourseError
from core.files import ROOT, is_writable
from fcn.dataset import CMPFacade, LabelledPhotographs
from fcn.facades.drawing import write_facades
from fcn.label_maps import check_exact
from fcn.voc import VOC

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class DataSet:
    """An entry of DATA_SETS; adding a data set is adding one.

    Attributes:
        title: what its images are, as reports call them.
        kind: the class that reads it; entries of one kind share their layout.
        marks: folders, one of which a folder of this layout holds.
        make: draws it into its folder; None where it has to be fetched.
    """

    title: str
    kind: type[LabelledPhotographs]
    marks: tuple[str, ...]
    make: Callable[[Path], None] | None = None


DATA_SETS = {
    "builtin": DataSet("built-in facades", CMPFacade, ("base", "extended"), make=write_facades),
    "cmp": DataSet("CMP Facade photographs", CMPFacade, ("base", "extended")),
    "voc": DataSet("PASCAL VOC", VOC, ("VOCdevkit", "TrainVal/VOCdevkit")),
}


def find(data: str) -> tuple[DataSet, Path]:
    """The entry and the folder of a data set.

    Args:
        data: a name of DATA_SETS, whose folder is dataset/NAME, or a folder in the layout of one of them. What is drawn
            goes to the user's cache where dataset/ can't be written to.

    Raises:
        CourseError: there is no such data set, or it has not been fetched.
    """
    if data in DATA_SETS:
        entry, folder = DATA_SETS[data], ROOT / "dataset" / data
        if entry.make is not None:
            return entry, _made(entry.make, folder)
        if not folder.is_dir():
            raise CourseError(f"{entry.title} are not in dataset/{data}; fetch them with `course data {data}`.")
        return entry, folder
    for entry in DATA_SETS.values():
        if any((Path(data) / mark).is_dir() for mark in entry.marks):
            return entry, Path(data)
    if Path(data).is_dir():
        wanted = " or ".join("/, ".join(entry.marks) + "/" for entry in (DATA_SETS["cmp"], DATA_SETS["voc"]))
        raise CourseError(f"{data} holds none of the layouts that the course reads; it needs {wanted}.")
    raise CourseError(f'There is no data set "{data}"; give {", ".join(DATA_SETS)} or a folder that is there.')


def _made(make: Callable[[Path], None], folder: Path) -> Path:
    """Draws a data set into its folder, or into the user's cache if the course lies where nothing can be written."""
    try:
        make(folder)
    except (CourseError, OSError):
        if is_writable(folder):
            raise
        folder = Path(pooch.os_cache("fcn-cam-course")) / folder.name
        make(folder)
    return folder


def load_splits(data: str, scale: float, extra: bool = False) -> tuple[LabelledPhotographs, ...]:
    """The training, validation and test images of a data set.

    Args:
        data: as for `find`.
        scale: factor on the images' sides.
        extra: whether SBD's further label maps join VOC's training images; they are read from dataset/sbd, or from
            sbd/ in the given folder.

    Raises:
        CourseError: there is no such data, it is not as it must be, or `extra` is asked of facades.
    """
    entry, folder = find(data)
    options = {}
    if extra:
        if entry.kind is not VOC:
            raise CourseError(f'SBD has no label maps for "{data}"; use extra with data "voc", or leave it out.')
        options["extra"] = (ROOT / "dataset" if data == "voc" else folder) / "sbd"
    splits = tuple(entry.kind(folder, split, scale, **options) for split in SPLITS)
    check_exact(folder, (split.read_label(split.pairs[place][1]) for split in splits for place in _spread(len(split))))
    return splits


def _spread(count: int) -> range:
    """Up to four places spread over a split."""
    return range(0, count, max(1, -(-count // 4)))
