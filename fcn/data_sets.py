"""The data sets: one entry each says how it is found, made or fetched, and which class reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import CourseError
from core.files import ROOT
from fcn.dataset import CMPFacade, LabelledPhotographs
from fcn.facades.drawing import write_facades
from fcn.voc import VOC

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class DataSet:
    """All that the course knows of a data set; adding one is adding an entry to DATA_SETS.

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
        data: a name of DATA_SETS, whose folder is dataset/NAME, or a folder in the layout of one of them.

    Raises:
        CourseError: there is no such data set, or it has not been fetched.
    """
    if data in DATA_SETS:
        entry, folder = DATA_SETS[data], ROOT / "dataset" / data
        if entry.make is not None:
            entry.make(folder)
        elif not folder.is_dir():
            raise CourseError(f"{entry.title} are not in dataset/{data}; fetch them with `course data {data}`.")
        return entry, folder
    for entry in DATA_SETS.values():
        if any((Path(data) / mark).is_dir() for mark in entry.marks):
            return entry, Path(data)
    if Path(data).is_dir():
        wanted = " or ".join("/, ".join(entry.marks) + "/" for entry in (DATA_SETS["cmp"], DATA_SETS["voc"]))
        raise CourseError(f"{data} holds none of the layouts that the course reads; it needs {wanted}.")
    raise CourseError(f'There is no data set "{data}"; give {", ".join(DATA_SETS)} or a folder that is there.')


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
    if not extra:
        return tuple(entry.kind(folder, split, scale) for split in SPLITS)
    if entry.kind is not VOC:
        raise CourseError(f'SBD has no label maps for "{data}"; use extra with data "voc", or leave it out.')
    sbd = (ROOT / "dataset" if data == "voc" else folder) / "sbd"
    return tuple(VOC(folder, split, scale, extra=sbd) for split in SPLITS)
