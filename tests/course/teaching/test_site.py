"""course.teaching.site: what the web site shows of a solved notebook."""

import nbformat
import pytest
from course_samples import write_notebook

from course.notebooks.blanks import TEXT_STUB
from course.notebooks.markers import BEGIN, END
from course.teaching.site import FOLDED, LEFT_OUT, as_page

SOLVED = f"""def area(width, height):
    # {BEGIN}: the area in pixels
    return width * height
    # {END}
print(area(2, 3))"""
ANSWER = f"""## Why?

{BEGIN} (an answer in words)

It is the *product* of the two sides.

{END}"""


def output(cell: nbformat.NotebookNode, text: str) -> None:
    cell.outputs = [nbformat.v4.new_output("stream", text=text)]


@pytest.fixture
def solved(tmp_path) -> str:
    notebook = nbformat.read(
        write_notebook(tmp_path / "notebooks", "01_first", SOLVED, "print('checked')", ANSWER), as_version=4
    )
    for cell, text in zip([cell for cell in notebook.cells if cell.cell_type == "code"], ("", "6", "checked")):
        output(cell, text)
    return nbformat.writes(notebook)


def cells(solved: str, solutions: str) -> tuple[nbformat.NotebookNode, nbformat.NotebookNode, nbformat.NotebookNode]:
    page = nbformat.reads(as_page(solved, "01_first", solutions), as_version=4)
    code = [cell for cell in page.cells if cell.cell_type == "code"]
    return code[-2], code[-1], page.cells[-1]


def test_folded_solutions_are_all_there(solved):
    solution, check, answer = cells(solved, FOLDED)
    assert solution.source == SOLVED and "hide-input" in solution.metadata.tags
    assert "hide-input" not in check.metadata.get("tags", [])
    assert [cell.outputs[0].text for cell in (solution, check)] == ["6", "checked"]
    before, _, inside = answer.source.partition("<details>")
    assert before.strip() == "## Why?" and "*product*" in inside and inside.rstrip().endswith("</details>")
    assert BEGIN not in answer.source and END not in answer.source


def test_solutions_left_out_leave_nothing_of_them(solved):
    solution, check, answer = cells(solved, LEFT_OUT)
    assert "width * height" not in solution.source and "NotImplementedError" in solution.source
    assert solution.outputs == [] and check.outputs[0].text == "checked"
    assert TEXT_STUB in answer.source and "product" not in answer.source
