"""Emptying the blanks of a solved notebook: a stub in each region between the marker lines, which stay."""

import difflib
import json
import re
from collections.abc import Sequence

import nbformat

from core.errors import CourseError
from course.notebooks.markers import BEGIN, END, UNWRITTEN

HINT = "# Replace the next line with your own, run this cell, then the check below it."
TEXT_STUB = "*Write your answer here.*"


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
            stub = _code_stub(lines, line, where) if kind == "code" else [TEXT_STUB]
            lines += [line, *(indent + part for part in stub)]
            regions += 1
        elif not inside or ends:
            lines.append(line)
        inside = begins or (inside and not ends)
    if inside:
        raise CourseError(f'{where}: "{BEGIN}" without "{END}" below it; mend the notebook.')
    return "\n".join(lines), regions


def _code_stub(above: Sequence[str], marker: str, where: str) -> list[str]:
    """What stands in a blank in code: a hint, and an error that names what the blank must define.

    Args:
        above: the cell's lines above the marker.
        marker: the line that opens the region; behind a colon it says what is to be written.
        where: for messages.
    """
    task = marker.partition(BEGIN)[2].removeprefix(":").strip()
    if not task:
        raise CourseError(f'{where}: "{marker.strip()}" doesn\'t say what is to be written; add ": what" to it.')
    within, indent = [], len(marker) - len(marker.lstrip())
    for line in reversed(above):
        opens = re.match(r"( *)(?:def|class) (\w+)", line)
        if opens and len(opens[1]) < indent:
            within, indent = [opens[2], *within], len(opens[1])
    sentence = f"{'.'.join(within) or 'This'} {UNWRITTEN}: {task}"
    return [HINT, f"raise NotImplementedError({json.dumps(sentence, ensure_ascii=False)})"]


def _resembles_a_marker(line: str) -> bool:
    """Whether a line was meant as a marker: `*START OF YOURCODE`, `# END OF YOU CODE`, `*begin of your code` …"""
    words = re.sub(r"[^a-z ]", "", line.split(":")[0].lower()).strip()
    return any(
        difflib.SequenceMatcher(None, words, f"{first} of your code").ratio() > 0.85
        for first in ("start", "begin", "end", "stop")
    )
