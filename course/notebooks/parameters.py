"""What is given to the notebooks, checked before anything runs."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from core.errors import CourseError, unknown_name
from core.files import ROOT
from course.notebooks import source as notebooks
from course.notebooks.presets import Preset

READ_VOC = ("10_fcn_backbones", "11_fcn_skips")  # the others' exercises are about facades
FETCHED = ("cmp", "voc")  # into dataset/NAME, by `course data NAME`
# What decides which network is trained, from what and how; some of it doesn't go together.
NETWORK = {"backbone", "width", "weights", "paper_padding", "modern", "training"}


def resolve(
    paths: Sequence[Path], given: Sequence[tuple[str, str]], preset: Preset | None = None
) -> dict[str, dict[str, object]]:
    """What each notebook is to be given: the preset's parameters, then those of the given ones that it has.

    Args:
        given: names and values as texts; they win over the preset.
        preset: its values are checked whether or not its notebooks are to run.

    Raises:
        CourseError: a parameter is given twice, or no notebook has it, or a value can't be; for a preset's, the
            message names the file.
    """
    return next(resolve_each(paths, [given], preset))


def resolve_each(
    paths: Sequence[Path], combinations: Iterable[Sequence[tuple[str, str]]], preset: Preset | None = None
) -> Iterator[dict[str, dict[str, object]]]:
    """As `resolve`, for one combination of names and values after another; the notebooks are read once."""
    read = {path.stem: notebooks.read_source(path) for path in paths}
    of_preset = {stem: {} for stem in read}
    for path, file, values in preset.files() if preset else ():
        try:
            checked = _checked(path.stem, notebooks.read_source(path), values)
        except CourseError as error:
            raise CourseError(f"{file}: {error}") from error
        if path.stem in of_preset:
            of_preset[path.stem] = checked
    defaults = {stem: notebooks.defaults(notebook, stem) for stem, notebook in read.items()}
    known = sorted({name for values in defaults.values() for name in values} - {"out"})
    for given in combinations:
        for name, _ in given:
            if name == "out":
                raise CourseError("The folder of a run is named with --out DIR, not with -p.")
            if name not in known:
                raise unknown_name("parameter of these notebooks", name, known)
            if [other for other, _ in given].count(name) > 1:
                raise CourseError(f"The parameter {name} is given twice; give it once.")
        resolved = {}
        for stem, notebook in read.items():
            own = {name: text for name, text in given if name in defaults[stem]}
            resolved[stem] = of_preset[stem] | _checked(stem, notebook, own)
            whole = defaults[stem] | resolved[stem]
            _check_data(stem, whole.get("data"))
            if NETWORK & resolved[stem].keys() and {"width", "training"} <= whole.keys():
                _check_network(whole)
        yield resolved


def _checked(stem: str, notebook: notebooks.Notebook, given: Mapping[str, str]) -> dict[str, object]:
    """A notebook's parameters in their types; folders become absolute: they are meant as seen from here.

    Raises:
        CourseError: the notebook has no such parameter, or would refuse its value.
    """
    defaults, allowed = notebooks.defaults(notebook, stem), notebooks.choices(notebook, stem)
    values = {}
    for name, text in given.items():
        if name not in defaults or name == "out":
            raise unknown_name(f"parameter of {stem}", name, sorted(defaults.keys() - {"out"}))
        value = notebooks.parse(name, text, defaults[name])
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, int | float) and not isinstance(number, bool):
                _check_number(name, number)
        if name in ("width", "full_width") and not float(64 * value).is_integer():
            raise CourseError(f"{name} is {value}, which leaves a fraction of a channel; use 1, 0.5, 0.25 or 0.125.")
        if name in allowed and isinstance(value, str):
            value = known_or_folder(
                name, value, [choice for choice in allowed[name] if choice is not None], None in allowed[name]
            )
        elif name in allowed and value not in allowed[name]:
            raise CourseError(f"{name} is {value} for {stem}; choose one of {', '.join(map(str, allowed[name]))}.")
        values[name] = value
    return values


def _check_data(stem: str, data: object) -> None:
    """Whether the data are there, and such as the notebook reads."""
    if data in FETCHED and not (ROOT / "dataset" / data).is_dir():
        raise CourseError(f"{data} is not in dataset/{data}; fetch it with `course data {data}`, or name a folder.")
    if isinstance(data, str) and stem not in READ_VOC and (data == "voc" or _holds_voc(Path(data))):
        raise CourseError(f"{stem} reads facades, not PASCAL VOC; name the notebooks that do: {' '.join(READ_VOC)}")


def _check_network(whole: Mapping[str, object]) -> None:
    """Whether there are such a network, weights for it, and a recipe."""
    from fcn.backbones import BACKBONES  # not above: most commands needn't wait for torch
    from fcn.recipes import recipe
    from fcn.weights import check_source

    backbone = str(whole.get("backbone", "vgg16"))
    only_aligned = BACKBONES[backbone].only_aligned
    width = 1.0 if only_aligned else float(whole["width"])  # as the notebooks have it
    if only_aligned and whole.get("paper_padding"):
        raise CourseError(f"{backbone} has no form with the paper's padding; leave paper_padding false.")
    if "weights" in whole:
        check_source(str(whole["weights"]), backbone, width)
    for trained in (backbone, *(["efficientnet_lite0"] if whole.get("modern") else [])):
        recipe(str(whole["training"]), trained, width, 1, "float32", 0)


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
