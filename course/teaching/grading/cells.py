"""The instructors' version of a notebook: the solved one with what nbgrader must know of its cells.

A code cell with a blank is a solution cell; the first cell below it that checks something is its test, with a point for
each blank. A cell with a rubric in its metadata (`course: {"rubric": [...]}`) is graded by hand, a point for each line.
"""

import ast
import builtins
import contextlib
import json
import re
import textwrap
from pathlib import Path

import nbformat

from core.errors import CourseError
from course.notebooks.markers import BEGIN, END
from course.notebooks.names import defined, imported_from_elsewhere, subject, used

HIDDEN = Path(__file__).parent / "hidden"
IMPORTS = "from course.checks import again, own_work"
HIDDEN_IMPORTS = "from course.checks import CheckFailed, again, expect, expect_close, own_work"


def instructors_version(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """The notebook with nbgrader's metadata, the lines that ask for own work, hidden tests and rubrics.

    nbgrader takes the hidden tests and rubrics out again for students.

    Args:
        notebook: a solved one; it is changed.
        name: its name, for the file of hidden tests and for messages.

    Raises:
        CourseError: a written answer has no rubric, or a hidden test belongs to no check.
    """
    hidden = hidden_tests(name)
    open_blanks: list[nbformat.NotebookNode] = []
    for cell in notebook.cells:
        blanks = count_blanks(cell.source)
        rubric = cell.metadata.get("course", {}).get("rubric")
        if blanks and rubric:
            cell.source += _mark_scheme(rubric, cell.cell_type)
            _mark(cell, grade=True, solution=True, points=len(rubric))
            open_blanks += [cell] if cell.cell_type == "code" else []
        elif blanks and cell.cell_type == "code":
            _mark(cell, solution=True)
            open_blanks.append(cell)
        elif blanks:
            raise CourseError(
                f"{name}: the written answer in cell {cell.id} has no rubric; add it to its metadata: course, rubric."
            )
        elif cell.cell_type == "code" and open_blanks and re.search(r"\b(expect|check)_?\w*\(", cell.source):
            by_check = [blank for blank in open_blanks if not blank.metadata.nbgrader.grade]
            lines = [_own_work(blank.source, cell.source, notebook) for blank in by_check]
            parts = [*lines, cell.source]
            if cell.id in hidden or lines:
                tests = [HIDDEN_IMPORTS, *lines, *([hidden.pop(cell.id)] if cell.id in hidden else [])]
                parts += ["### BEGIN HIDDEN TESTS", *tests, "### END HIDDEN TESTS"]
            cell.source = "\n".join(parts)
            _mark(cell, grade=True, locked=True, points=sum(count_blanks(blank.source) for blank in by_check))
            open_blanks = []
    if hidden:
        raise CourseError(
            f"{name}: the hidden tests of {', '.join(hidden)} belong to no check; mend {HIDDEN / name}.py."
        )
    if any("own_work(" in cell.source for cell in notebook.cells):
        _imports(notebook).source += f"\n{IMPORTS}"
    return notebook


def hidden_tests(name: str) -> dict[str, str]:
    """The hidden tests of a notebook by the id of the cell that they are added to; none if it has no file of them."""
    path = HIDDEN / f"{name}.py"
    if not path.exists():
        return {}
    parts = re.split(r"^# %% (\S+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {ident: _apart(source.strip()) for ident, source in zip(parts[::2], parts[1::2])}


def _apart(source: str) -> str:
    """The lines as a function that is called, so that they change no variable of the notebook."""
    return f"def hidden():\n{textwrap.indent(source, '    ')}\n\n\nhidden()"


def count_blanks(source: str) -> int:
    return sum(BEGIN in line and END not in line for line in source.split("\n"))


def _mark(
    cell: nbformat.NotebookNode,
    *,
    grade: bool = False,
    solution: bool = False,
    locked: bool = False,
    points: int | None = None,
) -> None:
    cell.metadata.nbgrader = {
        "schema_version": 3,
        "grade_id": cell.id,
        "grade": grade,
        "solution": solution,
        "locked": locked,
        "task": False,
        **({} if points is None else {"points": points}),
    }


def _mark_scheme(rubric: list[str], kind: str) -> str:
    lines = ["### BEGIN MARK SCHEME", *(f"{'# ' * (kind == 'code')}- 1 point: {line}" for line in rubric)]
    return "\n".join(["", *lines, "### END MARK SCHEME"])


def _own_work(blank: str, check: str, notebook: nbformat.NotebookNode) -> str:
    """The line of a check that refuses the course's own solution in a cell, apart from what the task hands to it."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code" and count_blanks(cell.source)]
    own = set().union(*(defined(source) for source in sources))
    given = sorted({*used(blank)} - own - {*dir(builtins)} - imported_from_elsewhere(_imports(notebook).source))
    return f"own_work({', '.join(json.dumps(name) for name in [subject(blank, check), *given])})"


def _imports(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    return next(
        cell for cell in notebook.cells if cell.cell_type == "code" and re.search(r"^(import|from) ", cell.source)
    )


def imports_of(notebook: nbformat.NotebookNode) -> str:
    """All that the instructors' version and its hidden tests import, as code."""
    imports = [HIDDEN_IMPORTS]
    for cell in notebook.cells:
        with contextlib.suppress(SyntaxError):  # a cell with a line for IPython
            body = ast.parse(cell.source).body if cell.cell_type == "code" else []
            imports += [ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(imports)
