"""The course's notebooks: which there are, and what their parameters may be."""

import ast
import contextlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from core.errors import CourseError, unknown_name
from core.files import ROOT
from course.notebooks.hiding import hiding

if TYPE_CHECKING:
    import nbformat

FOLDER = ROOT / "notebooks"


def read(path: Path) -> "nbformat.NotebookNode":
    """The whole notebook in a file, in the current format, to be changed, run or written.

    Raises:
        CourseError: there is no such file, or it is not a notebook.
    """
    import nbformat  # not above: it takes a second, which a student would wait for in every notebook

    with _reading(path):
        return nbformat.read(path, as_version=4)


class Node(dict):
    """A part of a notebook: a dict whose items are attributes too, as nbformat's are."""

    def __getattr__(self, name: str) -> object:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


Notebook: TypeAlias = "Node | nbformat.NotebookNode"


def read_source(path: Path) -> Node:
    """A notebook's cells and metadata, to look at: as `read` gives them, but for the outputs, and without a wait.

    Raises:
        CourseError: there is no such file, or it is not a notebook.
    """
    with _reading(path):
        notebook = json.loads(path.read_text(encoding="utf-8"), object_hook=Node)
        for cell in notebook.cells:
            cell["source"] = "".join(cell.source)  # lines, or one text
        return notebook


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turns what is raised while a notebook is read into one sentence."""
    try:
        yield
    except OSError as error:
        raise CourseError(f"Cannot read the notebook {path}: {error.strerror}.") from error
    except Exception as error:  # nbformat raises its own, json's and jsonschema's
        raise CourseError(f"{path} is not a notebook; restore it from the course.") from error


def choose(names: Iterable[str], folder: Path | None = None) -> list[Path]:
    """The named notebooks in the given order, without repeats; the whole course, in order, if none is named.

    Args:
        names: each with or without .ipynb, or as a path.
        folder: where the notebooks are; the course's own by default.

    Raises:
        CourseError: there is no such notebook; the message names the nearest. Or a file beside them hides a package.
    """
    if hidden := hiding(folder or FOLDER):
        raise CourseError(hidden[0])
    paths = {path.stem: path for path in sorted((folder or FOLDER).glob("*.ipynb"))}
    if not paths:
        raise CourseError(f"There is no notebook in {folder or FOLDER}; run this in the course's own folder.")
    chosen = {}
    for name in names:
        stem = Path(name).name.removesuffix(".ipynb")
        if stem not in paths:
            raise unknown_name("notebook", name, paths)
        chosen[stem] = paths[stem]
    return list((chosen or paths).values())


def dependencies(paths: Iterable[Path]) -> dict[str, list[str]]:
    """For each of some notebooks, in the course's order, those of them whose records it reads.

    A notebook names all whose records it reads in its metadata: `course: {"after": ["02_fcn32s_scratch"]}`.

    Raises:
        CourseError: one names what isn't an earlier notebook of its folder.
    """
    named = {}
    for path in sorted(paths, key=lambda path: path.stem):
        after = read_source(path).metadata.get("course", {}).get("after", [])
        before = sorted(other.stem for other in path.parent.glob("*.ipynb") if other.stem < path.stem)
        if not isinstance(after, list) or any(name not in before for name in after):
            raise CourseError(
                f"{path.stem} is to come after {after}, which is no list of earlier notebooks; mend it under metadata, "
                "course, after."
            )
        named[path.stem] = after
    return {name: [other for other in after if other in named] for name, after in named.items()}


def groups(after: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """For each notebook a name for those that are tied to it by dependencies, also through others.

    Args:
        after: as `dependencies` gives it.
    """
    group = {}
    for name, earlier in after.items():
        joined = {group[other] for other in earlier}
        group = {other: name if of in joined else of for other, of in group.items()} | {name: name}
    return group


def defaults(notebook: Notebook, name: str = "The notebook") -> dict[str, object]:
    """The names and values in the cell tagged `parameters`.

    Args:
        name: for messages.

    Raises:
        CourseError: there is no such cell, or several, or it holds something other than `name = plain value`.
    """
    return _assignments(_parameters(notebook, name))


def choices(notebook: Notebook, name: str = "The notebook") -> dict[str, list[object]]:
    """What a parameter may be, from the comment behind it: all names in quotes, or numbers such as `0, 1 or 2: …`.

    A comment that speaks of a folder or a file allows those as well; the list then ends with None.
    """
    found = {}
    for line in _parameters(notebook, name).splitlines():
        match = re.match(r"(\w+) = (.+?)  # (.+)", line)
        if match is None:
            continue
        default, comment = ast.literal_eval(match[2]), match[3]
        numbers = re.match(r"(\d+(?:, \d+)* or \d+):", comment)
        quoted = re.findall(r'"(\w+)"', comment)
        if numbers and isinstance(default, int):
            found[match[1]] = [int(number) for number in re.findall(r"\d+", numbers[1])]
        elif quoted and isinstance(default, str):
            free = [None] if re.search(r"\b(folder|file)\b", comment) else []
            found[match[1]] = [*dict.fromkeys([default, *quoted]), *free]
    return found


def _parameters(notebook: Notebook, name: str) -> str:
    cells = [cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    if len(cells) != 1:
        raise CourseError(f"{name} has {len(cells)} cells tagged parameters; it needs one.")
    return cells[0]


def _assignments(source: str) -> dict[str, object]:
    values = {}
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise CourseError(f"The parameters cell is not Python: {error.msg}, line {error.lineno}.") from error
    for statement in statements:
        try:
            (target,) = statement.targets
            values[target.id] = ast.literal_eval(statement.value)
        except (AttributeError, ValueError) as error:
            raise CourseError(
                f'In the parameters cell, "{ast.unparse(statement)}" is not a name and a plain value.'
            ) from error
    return values


def parse(name: str, text: str, default: object) -> object:
    """The value of a parameter given on the command line, in the type of its default.

    Args:
        text: a number, true or false, or text, as the default is; for a list or None, JSON.

    Raises:
        CourseError: the text isn't such a value.
    """
    kind = type(default)
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        if kind is str:
            return text
        if kind in (int, float):
            value = kind(text)
            if not math.isfinite(value):
                raise ValueError("not finite")
            return value
        value = json.loads(text)
        if default is not None and not isinstance(value, kind):
            raise ValueError("another type")
        if isinstance(default, list):  # of what the default holds; an empty one is a list of texts
            of = type(default[0]) if default else str
            if not all(type(item) is of for item in value):
                raise ValueError("items of another type")
        return value
    except (KeyError, ValueError) as error:
        raise CourseError(
            f'The parameter {name} cannot be "{text}"; give {_wanted[kind]}, as in -p {name} {_example(default)}.'
        ) from error


_wanted = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a JSON list",
    type(None): "a JSON value",
    dict: "a JSON object",
}


def _example(default: object) -> str:
    text = json.dumps(default)
    return f"'{text}'" if isinstance(default, list | dict) else text
