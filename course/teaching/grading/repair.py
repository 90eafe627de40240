"""A notebook as it was handed in, made into one that can be graded: the released one with the student's answers."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

from course.notebooks.names import defined
from course.teaching.grading.variants import seed_in, seed_of, set_seed

LARGEST = 50 * 2**20  # bytes for a notebook


class Refused(Exception):
    """A file that can't be graded; the message continues its name."""


@dataclass(frozen=True)
class Cell:
    """What counts of a cell that was handed in; all else is the released notebook's."""

    kind: str
    source: str
    ident: object
    grade_id: str | None
    tagged: bool


def read_cells(file: Path) -> list[Cell]:
    """The cells of a notebook in a file, whatever else is wrong with it.

    Raises:
        Refused: it is no notebook.
    """
    try:
        if file.stat().st_size > LARGEST:
            raise Refused(f"is larger than {LARGEST // 2**20} MB; outputs may be cleared before handing in")
        raw = json.loads(file.read_bytes())  # UTF-8, UTF-16 or UTF-32, with or without a byte-order mark
    except OSError as error:
        raise Refused(f"can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Refused("is not UTF-8 text, so it is no notebook") from error
    except json.JSONDecodeError as error:
        raise Refused(f"is not a notebook: no JSON from line {error.lineno} on") from error
    except (ValueError, RecursionError) as error:
        raise Refused("is not a notebook that can be read") from error
    cells = raw.get("cells") if isinstance(raw, dict) else None
    if not isinstance(cells, list):
        raise Refused("is not a notebook: it has no list of cells")
    return [_cell(cell, number) for number, cell in enumerate(cells, start=1)]


def _cell(raw: object, number: int) -> Cell:
    source = raw.get("source") if isinstance(raw, dict) else None
    source = "".join(line for line in source if isinstance(line, str)) if isinstance(source, list) else source
    if not isinstance(source, str):
        raise Refused(f"is not a notebook: cell {number} has no source")
    source = source.encode("utf-8", "replace").decode()  # half a character can't be written
    metadata = raw.get("metadata") if isinstance(raw.get("metadata"), dict) else {}
    known = metadata.get("nbgrader") if isinstance(metadata.get("nbgrader"), dict) else {}
    grade_id = known.get("grade_id") if isinstance(known.get("grade_id"), str) else None
    tags = metadata.get("tags")
    tagged = isinstance(tags, list) and "parameters" in tags
    return Cell(str(raw.get("cell_type")), source, raw.get("id"), grade_id, tagged)


def restored(
    cells: Sequence[Cell], released: Mapping[str, nbformat.NotebookNode], student: str
) -> tuple[str, nbformat.NotebookNode, list[str]]:
    """The released notebook that shares most graded cells with what was handed in, with the student's cells.

    Checks, parameters and all metadata are the released ones. A graded cell that is missing is put back below the one
    it stood below; of one that was copied or split, the last part is graded, and the others are run as they are.

    Returns:
        The notebook's name, the notebook, and what is to be said of it.

    Raises:
        Refused: it has none of the graded cells.
    """
    counted = Counter(cell.grade_id for cell in cells)
    name = max(released, key=lambda name: len(counted.keys() & graded_cells(released[name]).keys()))
    wanted = graded_cells(released[name])
    if not counted.keys() & wanted.keys():
        raise Refused("has none of the graded cells of this course's notebooks")
    notebook = nbformat.from_dict(released[name])
    (parameters,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    names = defined(parameters.source)
    # Also without its tag it is known, by its id or by what it defines.
    theirs = [cell for cell in cells if cell.tagged or cell.ident == parameters.id or names <= defined(cell.source)]
    if theirs and seed_in(theirs[0].source) == seed_of(student):
        set_seed(notebook, seed_of(student))
    last = {cell.grade_id: number for number, cell in enumerate(cells)}
    notebook.cells = [] if theirs else [parameters]
    for number, cell in enumerate(cells):
        if cell in theirs:
            notebook.cells += [parameters] * (parameters not in notebook.cells)
        elif cell.grade_id in wanted and last[cell.grade_id] == number:
            graded = nbformat.from_dict(wanted[cell.grade_id])
            graded.source = graded.source if graded.metadata.nbgrader.locked else cell.source
            notebook.cells.append(graded)
        else:
            new = new_code_cell if cell.kind == "code" else new_markdown_cell
            notebook.cells.append(new(cell.source, id=f"own-{number}"))
    missing, place = 0, -1
    for ident, cell in wanted.items():
        found = [index for index, each in enumerate(notebook.cells) if _grade_id(each) == ident]
        place = found[0] if found else place + 1
        if not found:
            notebook.cells.insert(place, nbformat.from_dict(cell))
            missing += 1
    tagged = any(cell.tagged for cell in cells)
    remarks = [] if tagged else ["The cell of parameters had lost its tag; the released values were used."]
    remarks += [f"{missing} deleted cells were put back, empty or as released."] if missing else []
    remarks += [
        f"Cell {ident} was there {times} times, copied or split; the last is graded."
        for ident, times in counted.items()
        if ident in wanted and times > 1
    ]
    return name, notebook, remarks


def graded_cells(notebook: nbformat.NotebookNode) -> dict[str, nbformat.NotebookNode]:
    """The cells that nbgrader knows, by their grade id, in order."""
    return {_grade_id(cell): cell for cell in notebook.cells if _grade_id(cell) is not None}


def _grade_id(cell: nbformat.NotebookNode) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")
