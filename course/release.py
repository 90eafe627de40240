"""The blank version of the course, as students get it: the solved one with its marked regions emptied."""

import difflib
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
    "core",
    "fcn",
    "cam",
    "residual",
    "course",
    "files",
    "dataset/README.md",
    "dataset/SHA256SUMS",
    "docs",
    "presets",
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
        CourseError: the folder isn't empty or can't be written to, or a notebook's markers aren't as they must be.
            Nothing is left in the folder then.
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
        notebook: its metadata say how many regions there must be: `course: {"regions": n}`. It is changed.
        name: for messages.

    Raises:
        CourseError: the markers of a cell aren't in pairs, a line resembles one, or there are more or fewer regions
            than the notebook says.
    """
    regions = 0
    for number, cell in enumerate(notebook.cells, start=1):
        cell.source, emptied = _emptied(cell.source, cell.cell_type, f"{name}, cell {number}")
        regions += emptied
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    expected = notebook.metadata.get("course", {}).get("regions")
    if regions != expected:
        raise CourseError(
            f"{name} has {regions} regions of solutions where its metadata say {expected}; mend its markers, or the "
            "number under metadata, course, regions."
        )
    notebook.metadata.pop("widgets", None)  # outputs too
    return notebook


def _emptied(source: str, kind: str, where: str) -> tuple[str, int]:
    """A cell's source with a stub between each pair of marker lines, and how many pairs there are."""
    stub = CODE_STUB if kind == "code" else TEXT_STUB
    lines, regions, inside = [], 0, False
    for line in source.split("\n"):
        begins, ends = BEGIN in line, END in line
        if begins and ends:  # it speaks of the markers
            begins = ends = False
        elif begins and inside:
            raise CourseError(f'{where}: a second "{BEGIN}" before "{END}"; mend the notebook.')
        elif ends and not inside:
            raise CourseError(f'{where}: "{END}" without a "{BEGIN}" above it; mend the notebook.')
        elif not (begins or ends) and _resembles_a_marker(line):
            raise CourseError(
                f'{where}: "{line.strip()}" isn\'t quite a marker, which holds "{BEGIN}" or "{END}"; mend the notebook.'
            )
        if begins:
            indent = line[: len(line) - len(line.lstrip())]
            lines += [line, *(indent + part for part in stub.split("\n"))]
            regions += 1
        elif not inside or ends:
            lines.append(line)
        inside = begins or (inside and not ends)
    if inside:
        raise CourseError(f'{where}: "{BEGIN}" without "{END}" below it; mend the notebook.')
    return "\n".join(lines), regions


def _resembles_a_marker(line: str) -> bool:
    """Whether a line was meant as a marker: `*START OF YOURCODE`, `# END OF YOU CODE`, `*begin of your code` …"""
    words = re.sub(r"[^a-z ]", "", line.split(":")[0].lower()).strip()
    return any(
        difflib.SequenceMatcher(None, words, f"{first} of your code").ratio() > 0.85
        for first in ("start", "begin", "end", "stop")
    )
