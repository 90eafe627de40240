"""What is given to the notebooks, checked before anything runs."""

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import nbformat

from core.errors import CourseError, unknown_name
from core.files import ROOT
from course import notebooks

READ_VOC = ("10_fcn_backbones", "11_fcn_skips")  # the others' exercises are about facades
FETCHED = ("cmp", "voc")  # into dataset/NAME, by `course data NAME`


def resolve(paths: Sequence[Path], given: Sequence[tuple[str, str]]) -> dict[str, dict[str, object]]:
    """What each notebook is to be given: those of the given parameters that it has, in their types.

    Raises:
        CourseError: a parameter is given twice, or no notebook has it, or a value can't be.
    """
    read = {path.stem: notebooks.read(path) for path in paths}
    defaults = {stem: notebooks.defaults(notebook, stem) for stem, notebook in read.items()}
    known = sorted({name for values in defaults.values() for name in values} - {"out"})
    resolved = {stem: {} for stem in defaults}
    for name, text in given:
        if name == "out":
            raise CourseError("The folder of a run is named with --out DIR, not with -p.")
        if name not in known:
            raise unknown_name("parameter of these notebooks", name, known)
        if [other for other, _ in given].count(name) > 1:
            raise CourseError(f"The parameter {name} is given twice; give it once.")
        for stem, values in defaults.items():
            if name in values:
                resolved[stem][name] = notebooks.parse(name, text, values[name])
    for stem, values in resolved.items():
        _check(stem, read[stem], values, defaults[stem] | values)
    return resolved


def _check(stem: str, notebook: nbformat.NotebookNode, given: dict[str, object], whole: Mapping[str, object]) -> None:
    """Finds what a notebook would refuse, and makes folders absolute: they are meant as seen from here."""
    allowed = notebooks.choices(notebook, stem)
    for name, value in given.items():
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, int | float) and not isinstance(number, bool):
                _check_number(name, number)
        if name in ("width", "full_width") and not float(64 * value).is_integer():
            raise CourseError(f"{name} is {value}, which leaves a fraction of a channel; use 1, 0.5, 0.25 or 0.125.")
        if name in allowed and isinstance(value, str):
            given[name] = known_or_folder(
                name, value, [choice for choice in allowed[name] if choice is not None], None in allowed[name]
            )
        elif name in allowed and value not in allowed[name]:
            raise CourseError(f"{name} is {value} for {stem}; choose one of {', '.join(map(str, allowed[name]))}.")
    data = given.get("data", whole.get("data"))
    if data in FETCHED and not (ROOT / "dataset" / data).is_dir():
        raise CourseError(f"{data} is not in dataset/{data}; fetch it with `course data {data}`, or name a folder.")
    if isinstance(data, str) and stem not in READ_VOC and (data == "voc" or _holds_voc(Path(data))):
        raise CourseError(f"{stem} reads facades, not PASCAL VOC; name the notebooks that do: {' '.join(READ_VOC)}")
    if {"weights", "width"} & given.keys() and {"weights", "width"} <= whole.keys():
        from fcn.weights import check_width  # not above: most commands needn't wait for torch

        check_width(str(whole["weights"]), float(whole["width"]))


def _check_number(name: str, value: float) -> None:
    if name == "seed":
        if not 0 <= value < 2**32:
            raise CourseError(f"seed is {value}; give a whole number from 0 to {2**32 - 1}.")
    elif not 0 < value < math.inf:
        raise CourseError(f"{name} is {value}; give a number above 0.")


def known_or_folder(name: str, value: str, known: Collection[str], folders: bool = True) -> str:
    """A name that a parameter knows, as it is, or the absolute path of a folder as seen from here.

    Raises:
        CourseError: it is neither; or the folder of `data` holds nothing that the course reads.
    """
    path = Path(value).expanduser()
    if value in known:
        return value
    if not folders or not path.exists():
        if folders and (len(path.parts) > 1 or value.startswith(".")):
            raise CourseError(f"There is no folder {path.resolve()}; check what {name} names.")
        raise unknown_name(name, value, known)
    if name == "data":
        missing = [part for part in ("base", "extended") if not (path / part).is_dir()]
        if missing and not _holds_voc(path):
            raise CourseError(
                f"{path.resolve()} holds no {' and no '.join(f'{part}/' for part in missing)}; name a folder laid out "
                "like CMP Facade, or fetch that with: course data cmp"
            )
    return str(path.resolve())


def _holds_voc(path: Path) -> bool:
    return (path / "VOCdevkit").is_dir() or (path / "TrainVal" / "VOCdevkit").is_dir()
