"""A notebook as a page of the course's web site: its solutions folded, or left out."""

import copy

import nbformat

from course.notebooks.blanks import blank
from course.notebooks.markers import BEGIN, END

FOLDED, LEFT_OUT = "folded", "left-out"


def as_page(source: str, name: str, solutions: str = FOLDED) -> str:
    """The text of a notebook file as the site shows it, with its stored outputs.

    Args:
        source: the solved notebook's text.
        name: for messages.
        solutions: "folded": a reader unfolds a solution's cell, or the answer in one of text; "left-out": the blank
            version's cells in their place, without what the solved ones put out.

    Raises:
        CourseError: as `course.notebooks.blanks.blank`.
    """
    notebook = nbformat.reads(source, as_version=4)
    emptied = blank(copy.deepcopy(notebook), name)
    for cell, without in zip(notebook.cells, emptied.cells, strict=True):
        if cell.source == without.source:
            continue
        if solutions == LEFT_OUT:
            cell.source = without.source
            if cell.cell_type == "code":
                cell.outputs = []
        elif cell.cell_type == "code":
            cell.metadata.setdefault("tags", []).append("hide-input")
            cell.metadata["mystnb"] = {"code_prompt_show": "Show a solution", "code_prompt_hide": "Hide the solution"}
        else:
            cell.source = "\n".join(_folded(line) for line in cell.source.split("\n"))
    return nbformat.writes(notebook)


def _folded(line: str) -> str:
    """A line of a text cell, a marker replaced by the beginning or end of what is folded."""
    if BEGIN in line and END in line:  # it speaks of the markers
        return line
    if BEGIN in line:
        return "<details>\n<summary>Show an answer</summary>\n"
    return "\n</details>\n" if END in line else line
