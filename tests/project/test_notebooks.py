"""What every stored notebook must be, so that nbval checks it and a reader can follow it."""

import re

import nbformat
import pytest

from core.files import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_stored_outputs_are_from_one_clean_run(path):
    """nbval passes over cells without an execution count, so each must have one, in order."""
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not any(output.output_type == "error" for cell in cells for output in cell.outputs)
    assert not any(output.get("name") == "stderr" for cell in cells for output in cell.outputs)


def test_begins_with_objectives_parameters_and_one_cell_of_imports(path):
    notebook = nbformat.read(path, as_version=4)
    assert "**Objectives.**" in notebook.cells[0].source and "## Recap" in notebook.cells[-1].source
    first, second, *others = code_cells(path)
    assert first.metadata.tags == ["parameters"] and re.search(r'^out = "../runs/lab"', first.source, re.MULTILINE)
    assert all(re.match(r"import |from |    |\)", line) or not line for line in second.source.splitlines())
    assert not any(re.search(r"^\s*(import|from) \w", cell.source, re.MULTILINE) for cell in others)


def test_student_regions_are_closed_and_checked(path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        marks = re.findall(r"\*(START|END) OF YOUR CODE", cell.source)
        if cell is not notebook.cells[0]:
            assert marks == ["START", "END"] * (len(marks) // 2), cell.source
    cells = code_cells(path)
    for index, cell in enumerate(cells):
        if "*START OF YOUR CODE" in cell.source:
            following = " ".join(later.source for later in cells[index + 1 : index + 3])
            assert re.search(r"expect|check_", following), f"nothing checks\n{cell.source}"


def test_figures_carry_alt_text(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            html = output.get("data", {}).get("text/html", "")
            assert "image/png" not in output.get("data", {}), "show figures with record.figure or plots.show"
            for image in re.findall("<img [^>]*>", html):
                assert len(re.search('alt="([^"]*)"', image)[1]) > 20


def test_cells_are_short_and_papermill_left_nothing(path):
    notebook = nbformat.read(path, as_version=4)
    assert "papermill" not in notebook.metadata
    for cell in code_cells(path):
        assert "papermill" not in cell.metadata
        assert len(cell.source.splitlines()) <= 40, cell.source
