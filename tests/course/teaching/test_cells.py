"""course.teaching.grading.cells: what nbgrader must know of the notebooks, and seeds by student."""

import ast
import builtins
import zlib

import nbformat
import pytest
from grading_samples import NAME
from nbgrader.validator import Validator

from course.cli import main
from course.notebooks import source as notebooks
from course.notebooks.markers import UNWRITTEN
from course.notebooks.names import defined
from course.running.kernels import environment, own_kernel
from course.teaching.grading import cells
from course.teaching.grading.repair import graded_cells
from course.teaching.grading.submissions import collect
from course.teaching.grading.variants import seed_in
from course.teaching.release import release_variants


def test_the_instructors_version_says_what_nbgrader_must_know(solved, blank):
    marks = {
        ident: (cell.metadata.nbgrader.grade, cell.metadata.nbgrader.solution, cell.metadata.nbgrader.get("points"))
        for ident, cell in graded_cells(solved).items()
    }
    assert marks == {
        "c3": (False, True, None),
        "c4": (True, False, 1),
        "c5": (False, True, None),
        "c6": (True, False, 1),
        "c7": (True, True, 2),
    }
    test, answer = (graded_cells(solved)[ident].source for ident in ("c4", "c7"))
    assert "### BEGIN HIDDEN TESTS\n" in test and "Another area" in test
    assert "- 1 point: Says that it is a product" in answer
    text = nbformat.writes(blank)
    assert "HIDDEN" not in text and "Another area" not in text and "1 point" not in text and "rubric" not in text
    assert 'own_work(\\"area\\")' in text
    assert list(graded_cells(blank)) == list(marks)
    locked = graded_cells(blank)["c4"].metadata
    assert locked.editable is False and locked.deletable is False and locked.nbgrader.checksum


def test_every_notebook_of_the_course_can_be_graded():
    """Each blank in code has a check worth its points, each written answer a rubric, and ids can be nbgrader's."""
    for path in notebooks.choose([]):
        notebook = cells.instructors_version(notebooks.read(path), path.stem)
        known = graded_cells(notebook)
        assert len(known) == len({*known}) and all(ident.replace("-", "").isalnum() for ident in known)
        points = sum(c.metadata.nbgrader.get("points", 0) for c in known.values() if not c.metadata.nbgrader.solution)
        answers = [c for c in known.values() if c.metadata.nbgrader.grade and c.metadata.nbgrader.solution]
        regions = notebook.metadata.course.regions
        assert points + sum(cells.count_blanks(cell.source) for cell in answers) == regions, path.stem
        imports = ast.parse(cells.imports_of(notebook)).body
        names = {(alias.asname or alias.name).split(".")[0] for node in imports for alias in node.names} | {
            *dir(builtins)
        }
        own = {name for cell in notebook.cells if cell.cell_type == "code" for name in defined(cell.source)}
        assert not names & own, "checks take these from the course"


def test_validate_fails_on_the_blank_notebook_and_passes_on_the_solved_one(course, solved, blank, tmp_path):
    failed = []
    for name, notebook in (("blank", blank), ("solved", solved)):
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
        with environment(PYTHONPATH=str(course)), own_kernel():
            failed.append(Validator().validate(str(tmp_path / f"{name}.ipynb")).get("failed", []))
    assert [len(each) for each in failed] == [3, 0]  # two checks, and an answer in words
    assert failed[0][0]["raw_error"] == f"Not yet: area {UNWRITTEN}: return the product of both"


def test_each_student_gets_a_seed_from_the_name_and_is_graded_with_it(course, tmp_path):
    students = ["anna", "berta", "carla", "dora"]
    release_variants(tmp_path / "class", students, course)
    handed_in = {name: nbformat.read(tmp_path / f"class/{name}/notebooks/{NAME}.ipynb", 4) for name in students}
    seeds = {name: seed_in(notebook.cells[1].source) for name, notebook in handed_in.items()}
    assert seeds == {name: zlib.crc32(name.encode()) % 3 for name in students} and len({*seeds.values()}) > 1
    other = {name: seed for name, seed in seeds.items() if seed}
    honest, seed = next(iter(other.items()))
    released = {NAME: nbformat.from_dict(handed_in[next(name for name in students if not seeds[name])])}
    copied = next(name for name in students if seeds[name] != seed)
    for name in (honest, copied):  # both hand in what was made for the first of them
        (tmp_path / "in" / name).mkdir(parents=True)
        nbformat.write(handed_in[honest], tmp_path / "in" / name / f"{NAME}.ipynb")
    found = {each.student: each.notebook.cells[1].source for each in collect(tmp_path / "in", released, tmp_path)}
    assert seed_in(f"seed = {'9' * 5000}") is None  # more digits than Python turns into a number
    assert f"\nseed = {seed}\n" in found[honest] and "\nseed = 0\n" in found[copied]


@pytest.mark.parametrize(
    "names, message",
    [("", "no student in the list"), ("anna\nanna\n", '"anna" is there twice'), ("an/na\n", '"an/na"')],
)
def test_a_list_of_students_that_cannot_be_is_told(names, message, tmp_path, capsys):
    (tmp_path / "names").write_text(names)
    assert main(["release", str(tmp_path / "class"), "--students", str(tmp_path / "names")]) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "class").exists()
    assert main(["release", str(tmp_path / "class"), "--students", str(tmp_path / "none")]) == 2
    assert "Cannot read" in capsys.readouterr().err
