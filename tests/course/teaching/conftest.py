"""A course with one small notebook, as students get it and as it is graded."""

import nbformat
import pytest
from course_samples import write_notebook
from grading_samples import CELLS, CHECKS, HIDDEN, LIGHT, NAME

from core.files import ROOT
from course.teaching.grading import cells
from course.teaching.release import release, write_instructors_version


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with one notebook, the packages of the real one, and hidden tests for its first check."""
    root = tmp_path_factory.mktemp("course")
    path = write_notebook(root / "notebooks", NAME, *CELLS)
    notebook = nbformat.read(path, as_version=4)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"c{number}"
    notebook.cells[-1].metadata.course = {"rubric": ["Says that it is a product", "Says of what"]}
    nbformat.write(notebook, path)
    for name in LIGHT:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(ROOT / name)
    (root / "course" / "checks" / "__init__.py").write_text(CHECKS)
    hidden = root / "hidden"
    hidden.mkdir()
    (hidden / f"{NAME}.py").write_text(HIDDEN.format(check="c4"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "HIDDEN", hidden)
        yield root


@pytest.fixture(scope="module")
def solved(course, tmp_path_factory):
    folder = tmp_path_factory.mktemp("instructors") / "solved"
    write_instructors_version(folder, course)
    return nbformat.read(folder / f"{NAME}.ipynb", as_version=4)


@pytest.fixture(scope="module")
def blank(course, tmp_path_factory):
    folder = tmp_path_factory.mktemp("students") / "blank"
    release(folder, course)
    return nbformat.read(folder / "notebooks" / f"{NAME}.ipynb", as_version=4)
