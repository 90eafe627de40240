"""Data named on the command line, checked before any notebook runs."""

import os
from collections.abc import Sequence
from pathlib import Path

from core.errors import CourseError
from core.files import ROOT
from course import notebooks

READ_VOC = ("10_fcn_backbones", "11_fcn_skips")  # the others' exercises are about facades
FOLDERS = ("data", "digits", "pictures")  # parameters that may name a folder


def folder_given(name: str, folder: str) -> str:
    """The absolute path of a folder that a parameter names.

    Raises:
        CourseError: there is no such folder, or, of photographs, it doesn't hold what it must.
    """
    path = Path(folder).expanduser().resolve()
    if name == "data":
        return data_folder(folder)
    if not path.is_dir():
        raise CourseError(f"There is no folder {path}; check what {name} names.")
    return str(path)


def data_folder(folder: str) -> str:
    """The folder's absolute path, once it holds what a folder of photographs must.

    Raises:
        CourseError: it holds no VOCdevkit, and base/ or extended/ is missing in it.
    """
    path = Path(folder).expanduser().resolve()
    missing = [name for name in ("base", "extended") if not (path / name).is_dir()]
    if missing and not _holds_voc(path):
        raise CourseError(
            f"{path} holds no {' and no '.join(f'{name}/' for name in missing)}; name a folder "
            "laid out like CMP Facade, or fetch that with: python -m course data cmp"
        )
    return str(path)


def check_voc(paths: Sequence[Path], data: str | None) -> None:
    """Finds, before anything runs, that VOC has not been fetched or that a notebook doesn't read it.

    Args:
        paths: the notebooks that are to run.
        data: what they are to be given as `data`; None if nothing.

    Raises:
        CourseError: one of the two.
    """
    if data == "voc" and not _holds_voc(ROOT / "dataset" / "voc"):
        raise CourseError(
            "PASCAL VOC is not in dataset/voc; fetch it with `python -m course data voc`, or give the "
            "folder that holds VOCdevkit."
        )
    others = [
        path.stem for path in paths if path.stem not in READ_VOC and "data" in notebooks.defaults(notebooks.read(path))
    ]
    if others and data is not None and (data == "voc" or os.sep in data and _holds_voc(Path(data))):
        raise CourseError(
            f"{', '.join(others)} {'read' if len(others) > 1 else 'reads'} facades, not PASCAL VOC; "
            f"name the notebooks that do: {' '.join(READ_VOC)}"
        )


def _holds_voc(path: Path) -> bool:
    from fcn.splits import holds_voc  # not above: the command line must not wait for torch

    return holds_voc(path)
