"""PASCAL VOC segmentation, 2007 to 2012, with SBD's further label maps when asked, through torchvision's classes.

Everingham et al., "The Pascal Visual Object Classes Challenge" (IJCV 2010); Hariharan et al., "Semantic Contours from
Inverse Detectors" (ICCV 2011).
"""

import contextlib
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torchvision.datasets import SBDataset, VOCDetection, VOCSegmentation

from core.errors import CourseError, check_name
from core.photographs import damaged, read_palette
from fcn.dataset import VOID, LabelledPhotographs

VOC_CLASSES = (
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "dining table",
    "dog",
    "horse",
    "motorbike",
    "person",
    "potted plant",
    "sheep",
    "sofa",
    "train",
    "tv monitor",
)
YEARS = tuple(str(year) for year in range(2007, 2013))
HELD_OUT = 10  # each tenth image of VOC's training list chooses the epoch


class VOC(LabelledPhotographs):
    """One split of PASCAL VOC's segmentation task.

    The label maps of VOC's own test set are not published; papers report figures on its validation list. So that
    nothing is chosen on what is scored, here "test" is VOC's validation list, "val" each tenth image of its training
    list, and "train" the others.

    Args:
        root: the folder that holds VOCdevkit/ (or TrainVal/VOCdevkit/, as 2011 comes).
        split, scale: as for `LabelledPhotographs`. Labels are 0..20, and 255 where an outline is void.
        year: "2007" to "2012"; by default the newest that is there.
        extra: the folder of SBD (img/, cls/, train.txt, val.txt): its label maps of images that neither of VOC's
            lists names join the training images; None for VOC alone.

    Raises:
        CourseError: an unknown split or year, no such folder, a list that names an image twice, or a missing file;
            on reading, as `LabelledPhotographs`, and a label from 21 to 254.
    """

    classes = VOC_CLASSES

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        scale: float = 0.5,
        year: str | None = None,
        extra: str | Path | None = None,
    ) -> None:
        check_name("split", split, ("train", "val", "test"))
        root = Path(root)
        self.year = year or _newest_year(root)
        lists = {name: _listed(root, self.year, name) for name in ("train", "val")}
        named = {name: {photograph.stem for photograph, _ in pairs} for name, pairs in lists.items()}
        if in_both := named["train"] & named["val"]:
            raise CourseError(
                f"VOC {self.year} in {root} names the image {min(in_both)} in both train.txt and val.txt, so that it "
                "would be learned and scored; remove it from one of the lists."
            )
        if split == "test":
            pairs = lists["val"]
        elif split == "val":
            pairs = lists["train"][HELD_OUT - 1 :: HELD_OUT]
        else:
            pairs = [pair for number, pair in enumerate(lists["train"], start=1) if number % HELD_OUT]
            if extra is not None:
                pairs += _further(Path(extra), named["train"] | named["val"])
        super().__init__(root, split, pairs, scale)

    def read_label(self, path: Path) -> np.ndarray:
        """(H, W) uint8 in 0..20 or 255, from VOC's palette PNG or SBD's MATLAB file."""
        label = read_palette(path) if path.suffix == ".png" else _read_sbd(path)
        wrong = label[(label >= len(VOC_CLASSES)) & (label != VOID)]
        if wrong.size:
            raise CourseError(
                f"{path} holds the label {wrong[0]}; labels are 0..{len(VOC_CLASSES) - 1}, and {VOID} "
                "for void: fetch the file again, or draw it in VOC's palette."
            )
        return label


@dataclass(frozen=True)
class VOCObject:
    """One object with its box, from VOC's detection task.

    Attributes:
        label: its class, a place in `VOC_CLASSES`, from 1.
        box: left, top, right, bottom in pixels; right and bottom are excluded.
        difficult: whether VOC leaves it out of its scores as too hard to recognise.
    """

    label: int
    box: tuple[int, int, int, int]
    difficult: bool


def boxed_photographs(root: str | Path, split: str, year: str) -> list[tuple[Path, list[VOCObject]]]:
    """The photographs that a list of VOC's detection task names, "train" or "val", with their objects.

    Raises:
        CourseError: the list is not there, or an annotation can't be read.
    """
    path = Path(root) / voc_folder(year) / "ImageSets" / "Main" / f"{split}.txt"
    with _there(path, f"the folder that holds VOCdevkit, or fetch the data with `course data voc --year {year}`"):
        listed = VOCDetection(root, year, image_set=split)
    pairs = _once(path, listed.images, listed.annotations)
    return [(photograph, read_objects(annotation)) for photograph, annotation in pairs]


def read_objects(path: Path) -> list[VOCObject]:
    """The objects in one of VOC's annotations, whose pixels count from 1 and include the last.

    Raises:
        CourseError: the file is missing, damaged, or holds something else.
    """
    labels = {name.replace(" ", ""): label for label, name in enumerate(VOC_CLASSES)}
    try:
        found = ElementTree.parse(path).getroot().findall("object")
        corners = [[round(float(item.findtext(f"bndbox/{side}"))) for side in _SIDES] for item in found]
        return [
            VOCObject(
                labels[item.findtext("name")], (left - 1, top - 1, right, bottom), item.findtext("difficult") == "1"
            )
            for item, (left, top, right, bottom) in zip(found, corners)
        ]
    except (ElementTree.ParseError, OSError, KeyError, TypeError, ValueError) as error:
        raise damaged(path, error) from error


_SIDES = ("xmin", "ymin", "xmax", "ymax")


def _newest_year(root: Path) -> str:
    years = [year for year in YEARS if (root / voc_folder(year)).is_dir()]
    if not years:
        raise CourseError(
            f"{root} holds no VOCdevkit/VOC2007 to VOC2012; give the folder that holds VOCdevkit, or "
            "fetch the data with `course data voc`."
        )
    return years[-1]


def voc_folder(year: str) -> str:
    """The folder of a year in the archives, relative to root."""
    return f"TrainVal/VOCdevkit/VOC{year}" if year == "2011" else f"VOCdevkit/VOC{year}"


def _listed(root: Path, year: str, name: str) -> list[tuple[Path, Path]]:
    """The pairs that one of VOC's lists names, in its order."""
    check_name("VOC segmentation of the year", year, YEARS)
    path = root / voc_folder(year) / "ImageSets" / "Segmentation" / f"{name}.txt"
    with _there(path, f"the folder that holds VOCdevkit, or fetch the data with `course data voc --year {year}`"):
        listed = VOCSegmentation(root, year, image_set=name)
    return _once(path, listed.images, listed.masks)


def _further(folder: Path, named: set[str]) -> list[tuple[Path, Path]]:
    """SBD's pairs whose images have none of the names."""
    pairs = []
    for name in ("train", "val"):
        path = folder / f"{name}.txt"
        with _there(path, "the folder that holds SBD's img/, cls/, train.txt and val.txt, or run `course data sbd`"):
            listed = SBDataset(folder, image_set=name, mode="segmentation")
        pairs += _once(path, listed.images, listed.masks)
    return [pair for pair in pairs if pair[0].stem not in named]


@contextlib.contextmanager
def _there(path: Path, advice: str) -> Iterator[None]:
    """Turns torchvision's errors for a missing list or folder into one sentence."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise CourseError(f"{path} is not there; give {advice}.") from error


def _once(path: Path, photographs: Sequence[str], others: Sequence[str]) -> list[tuple[Path, Path]]:
    """The pairs that a list names, if no image is among them twice."""
    pairs = list(zip(map(Path, photographs), map(Path, others)))
    name, times = Counter(photograph.stem for photograph, _ in pairs).most_common(1)[0] if pairs else ("", 0)
    if times > 1:
        raise CourseError(f"{path} names the image {name} {times} times; remove the repeated lines.")
    if times == 0:
        raise CourseError(f"{path} names no image; fetch the data again.")
    return pairs


def _read_sbd(path: Path) -> np.ndarray:
    from scipy.io import loadmat  # not above: only this needs SciPy, and every notebook on facades comes by here
    from scipy.io.matlab import MatReadError

    try:
        return loadmat(path)["GTcls"][0]["Segmentation"][0]
    except (MatReadError, OSError, ValueError, TypeError, KeyError) as error:
        raise damaged(path, error) from error
