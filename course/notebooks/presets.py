"""Presets: named files of parameters, in the form that `papermill -f` reads, one for each notebook that differs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from core.errors import CourseError, unknown_name
from core.files import ROOT
from course.notebooks import source as notebooks

FOLDER = ROOT / "presets"
QUICK = "quick"  # the notebooks' own defaults, which need no file


def names() -> list[str]:
    """The presets that there are, the quick one first."""
    return [QUICK, *sorted(path.name for path in FOLDER.glob("*/") if path.is_dir())]


@dataclass(frozen=True)
class Preset:
    """A named set of parameters.

    Raises:
        CourseError: there is none of this name.
    """

    name: str

    def __post_init__(self) -> None:
        if self.name not in names():
            raise unknown_name("preset", self.name, names())

    def files(self) -> Iterator[tuple[Path, str, Mapping[str, str]]]:
        """Each notebook that the preset has a file for, the file's name for messages, and its values as texts.

        Raises:
            CourseError: a file can't be read, isn't a list of names and values, or is called like no notebook.
        """
        for path in sorted((FOLDER / self.name).glob("*.yaml")):
            file = f"presets/{self.name}/{path.name}"
            try:
                (notebook,) = notebooks.choose([path.stem])
                yield notebook, file, _read(path)
            except CourseError as error:
                raise CourseError(f"{file}: {error}") from error


def _read(path: Path) -> dict[str, str]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CourseError(f"it can't be read ({error.strerror}); check its permissions.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CourseError("it is not YAML; write one `name: value` a line.") from error
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise CourseError("it holds no names and values; write one `name: value` a line.")
    return {name: value if isinstance(value, str) else json.dumps(value, default=str) for name, value in values.items()}
