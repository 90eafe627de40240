"""Which data a notebook trains on, by name: facades or PASCAL VOC."""

from pathlib import Path

from core.errors import CourseError
from core.files import ROOT
from fcn.dataset import CMPFacade, LabelledPhotographs, facade_folder
from fcn.voc import VOC

SPLITS = ("train", "val", "test")


def load_splits(data: str, scale: float, extra: bool = False) -> tuple[LabelledPhotographs, ...]:
    """The training, validation and test images of a data set.

    Args:
        data: "builtin", "cmp" or a folder with base/ and extended/ (see `facade_folder`); or "voc" (fetched into
            dataset/voc) or a folder that holds VOCdevkit.
        scale: factor on the images' sides.
        extra: whether SBD's further label maps join VOC's training images; they are read from dataset/sbd, or from
            sbd/ in the given folder.

    Raises:
        CourseError: there is no such data, it is not as it must be, or `extra` is asked of facades.
    """
    folder = ROOT / "dataset" / "voc" if data == "voc" else Path(data)
    if data == "voc" or holds_voc(folder):
        sbd = (ROOT / "dataset" / "sbd" if data == "voc" else folder / "sbd") if extra else None
        return tuple(VOC(folder, split, scale, extra=sbd) for split in SPLITS)
    if extra:
        raise CourseError(f'SBD has no label maps for "{data}"; use extra with data "voc", or leave it out.')
    folder = facade_folder(data)
    return tuple(CMPFacade(folder, split, scale) for split in SPLITS)


def holds_voc(folder: Path) -> bool:
    """Whether a folder is laid out as VOC's archives unpack."""
    return (folder / "VOCdevkit").is_dir() or (folder / "TrainVal" / "VOCdevkit").is_dir()
