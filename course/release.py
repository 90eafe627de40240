"""The blank version of the course, as students get it: the solved one with its marked regions emptied."""

import re
import shutil
import tempfile
from pathlib import Path

import nbformat

from core.errors import CourseError
from core.files import ROOT
from course import notebooks

# What a student needs; a package the course does not have yet is left out.
PARTS = (
    "README.md",
    "LICENSE",
    "CITATION.cff",
    "Makefile",
    "pyproject.toml",
    "constraints.txt",
    "environment.yml",
    "fcn",
    "cam",
    "residual",
    "course",
    "files",
    "dataset/README.md",
    "dataset/SHA256SUMS",
)

BEGIN, END = "*START OF YOUR CODE", "*END OF YOUR CODE"
CODE_STUB = (
    "# Replace the next line with your own.\n"
    'raise NotImplementedError("Write your code between the two marked lines, then run this cell '
    'and the check below it.")'
)
TEXT_STUB = "*Write your answer here.*"


def release(folder: str | Path, root: Path = ROOT) -> None:
    """Writes the blank version of the whole course.

    Args:
        folder: a new or empty one, outside the course's own packages.
        root: the course's folder.

    Raises:
        CourseError: the folder isn't empty or can't be written to, a notebook's markers aren't in pairs, or
            nbgrader isn't installed. Nothing is left in the folder then.
    """
    folder = Path(folder).resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CourseError(f"{folder} exists and isn't an empty folder; name a new one.")
    if any(folder.is_relative_to(root / part) for part in (*PARTS, "notebooks")):
        raise CourseError(f"{folder} lies in what is to be copied; name a folder elsewhere.")
    solved = notebooks.choose([], root / "notebooks")
    blanks = {path.name: blank(notebooks.read(path), path.stem) for path in solved}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Built beside its place and renamed, so that there is the whole of it or nothing.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
            unfinished = Path(temporary) / folder.name
            _copy(root, unfinished)
            for name, notebook in blanks.items():
                nbformat.write(notebook, unfinished / "notebooks" / name)
            unfinished.replace(folder)
    except OSError as error:
        raise CourseError(
            f"Cannot write the blank version to {folder}: {error.strerror or error}; free some "
            "space or name another folder."
        ) from error


def _copy(root: Path, target: Path) -> None:
    (target / "notebooks").mkdir(parents=True)
    ignore = shutil.ignore_patterns("__pycache__", ".*")
    for part in PARTS:
        source = root / part
        if source.is_dir():
            shutil.copytree(source, target / part, ignore=ignore)
        elif source.exists():
            (target / part).parent.mkdir(exist_ok=True)
            shutil.copy(source, target / part)


def blank(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """The notebook without outputs and with a stub in each region between the marker lines, which stay.

    Args:
        name: for messages.

    Raises:
        CourseError: the markers of a cell aren't in pairs, or nbgrader isn't installed.
    """
    try:
        from nbgrader.preprocessors import ClearOutput, ClearSolutions
    except ImportError as error:
        raise CourseError(
            "The blank version is made with nbgrader; install it with: "
            'pip install -c constraints.txt -e ".[instructor]"'
        ) from error
    for number, cell in enumerate(notebook.cells, start=1):
        if problem := _marker_problem(cell.source):
            raise CourseError(f"{name}, cell {number}: {problem}; mend the notebook.")
        cell.source = _shield_markers(cell.source)
    clear = ClearSolutions(
        begin_solution_delimeter=BEGIN,
        end_solution_delimeter=END,
        enforce_metadata=False,
        code_stub={"python": CODE_STUB},
        text_stub=TEXT_STUB,
    )
    notebook, resources = clear.preprocess(notebook, {})
    notebook, _ = ClearOutput().preprocess(notebook, resources)
    for cell in notebook.cells:
        cell.source = cell.source.replace(_BEGIN_KEPT, BEGIN).replace(_END_KEPT, END)
    notebook.metadata.pop("widgets", None)  # outputs too
    return notebook


# ClearSolutions removes the marker lines, with whatever else they say; students should keep them. So each
# gets a copy that it doesn't know: before the region's begin and after its end.
_BEGIN_KEPT, _END_KEPT = "*BEGIN\0", "*END\0"


def _shield_markers(source: str) -> str:
    lines = []
    for line in source.split("\n"):
        kept = line.replace(BEGIN, _BEGIN_KEPT).replace(END, _END_KEPT)
        if BEGIN in line and END in line:  # it speaks of the markers
            lines.append(kept)
        elif BEGIN in line:
            lines += [kept, line]
        elif END in line:
            lines += [line, kept]
        else:
            lines.append(line)
    return "\n".join(lines)


def _marker_problem(source: str) -> str | None:
    """What is wrong with a cell's markers: nbgrader passes over some of it, and the solution would stay."""
    inside = False
    for line in source.split("\n"):
        begins, ends = BEGIN in line, END in line
        if begins and ends:  # it speaks of the markers
            continue
        if begins and inside:
            return f'a second "{BEGIN}" before "{END}"'
        if ends and not inside:
            return f'"{END}" without a "{BEGIN}" above it'
        if not (begins or ends) and re.match(r"[\s#*<!-]*(START|BEGIN|END) OF YOUR CODE", line, re.I):
            return f'"{line.strip()}" isn\'t quite a marker, which holds "{BEGIN}" or "{END}"'
        inside = begins or (inside and not ends)
    return f'"{BEGIN}" without "{END}" below it' if inside else None
