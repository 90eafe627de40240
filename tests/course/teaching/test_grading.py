"""course.teaching.grading: solved notebooks get all automatic points, blank ones none; a bad one costs only itself."""

import csv
import zipfile
import zlib

import nbformat
import pytest
from course_samples import write_notebook
from nbgrader.validator import Validator

from core.errors import CourseError
from core.files import ROOT
from course.cli import main
from course.notebooks import source as notebooks
from course.notebooks.markers import UNWRITTEN
from course.running.kernels import environment, own_kernel
from course.teaching.grading import cells
from course.teaching.grading.grade import grade, with_what_they_read
from course.teaching.grading.submissions import collect, graded_cells, put_back, student_name
from course.teaching.grading.variants import seed_in
from course.teaching.release import release, release_variants, write_instructors_version

NAME = "01_first"
AREA = """def area(width, height):
    # *START OF YOUR CODE: return the product of both
    return width * height
    # *END OF YOUR CODE"""
SIDE = """# *START OF YOUR CODE: side
side = 3
# *END OF YOUR CODE"""
CELLS = (
    "import os\nimport time\n\nfrom course.checks import expect",
    AREA,
    'expect(area(2, 3) == 6, "2 x 3 is 6.")',
    SIDE,
    'expect(side == 3, f"side is {side}, not 3.")',
    "## *START OF YOUR CODE (an answer in words)\n\nIt is a product.\n\n*END OF YOUR CODE",
)
# Of the course's modules, what this notebook needs: without torch its kernel starts ten times faster.
LIGHT = (
    "course/__init__.py",
    "course/notebooks/markers.py",
    "course/notebooks/names.py",
    "course/checks/expectations.py",
    "course/checks/one_line.py",
    "course/checks/own_work.py",
)
CHECKS = """from course.checks.expectations import CheckFailed, expect, expect_close
from course.checks.one_line import answer_in_one_line
from course.checks.own_work import again, own_work

answer_in_one_line()
"""
HIDDEN = '# %% {check}\nexpect(area(5, 7) == 35, "Another area is wrong.")\n'


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


def answered(blank, **sources):
    """The blank notebook with other sources in some cells, by id."""
    notebook = nbformat.from_dict(blank)
    for cell in notebook.cells:
        cell.source = sources.get(cell.id, cell.source)
    return notebook


RIGHT = {"c3": AREA, "c5": SIDE, "c7": "It is a product."}


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


@pytest.fixture(scope="module")
def graded(course, blank, tmp_path_factory):
    folder = tmp_path_factory.mktemp("submissions")
    submissions = {
        "solved_1": answered(blank, **RIGHT),
        "blank": blank,
        "hangs_3": answered(blank, **RIGHT | {"c5": "while True:\n    time.sleep(1)"}),
        "crashes_4": answered(
            blank, **RIGHT | {"c3": AREA.replace("return", "return os._exit(1) if width == 5 else"), "c5": SIDE}
        ),
    }
    (folder / "solved_1").mkdir()
    deleted = answered(blank, **RIGHT)
    deleted.cells = [cell for cell in deleted.cells if cell.id != "c4"]
    submissions["solved_1"] = deleted
    for student, notebook in submissions.items():
        (folder / student).mkdir(exist_ok=True)
        nbformat.write(notebook, folder / student / f"{NAME}.ipynb")
    (folder / "binary_5").mkdir()
    (folder / "binary_5" / f"{NAME}.ipynb").write_bytes(b"\xff\xfe{}")
    out = tmp_path_factory.mktemp("grading") / "out"
    return grade(folder, out, jobs=2, minutes=0.25, memory=8, root=course)


def rows(graded) -> dict[str, dict[str, str]]:
    with graded.table.open(encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_solved_gets_all_automatic_points_and_blank_none(graded):
    solved, blank = rows(graded)["solved_1"], rows(graded)["blank"]
    assert (solved["automatic"], solved["automatic_max"], solved["max"], solved["manual_pending"]) == (
        "2",
        "2",
        "4",
        "2",
    )
    assert solved["remark"] == "1 deleted cells were put back, empty or as released."
    assert (blank["automatic"], blank["manual_pending"]) == ("0", "0")
    assert blank["remark"] == ""


def test_what_hangs_or_crashes_costs_only_what_was_not_run(graded):
    hangs, crashes, binary = (rows(graded)[name] for name in ("hangs_3", "crashes_4", "binary_5"))
    assert hangs["automatic"] == "1" and "time was over" in hangs["remark"]
    assert crashes["automatic"] == "0" and "Python ended" in crashes["remark"]
    assert binary["automatic"] == "0" and "is not UTF-8 text" in binary["remark"]


def test_feedback_and_the_page_are_written(graded):
    folder = graded.page.parent
    for student in rows(graded):
        assert (folder / "feedback" / student / NAME / f"{NAME}.html").stat().st_size > 100
    page = graded.page.read_text(encoding="utf-8")
    assert "area is still to be written" in page and "data:image/png;base64," in page
    assert not list((folder / "autograded").glob("binary_5"))


def test_a_students_folder_may_be_a_zip_and_may_not_reach_out(blank, tmp_path):
    released = {NAME: blank}
    for name, entry in (("Ada_7.zip", f"work/{NAME} (1).ipynb"), ("Eve_8.zip", "../../evil.ipynb")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(entry, nbformat.writes(blank))
    ada, eve = collect(tmp_path, released, tmp_path / ".scratch")
    assert (ada.student, ada.name, ada.remark) == ("Ada_7", NAME, "")
    assert eve.notebook is None and 'its entry "../../evil.ipynb" lies outside of it' in eve.remark
    assert not list(tmp_path.rglob("evil.ipynb"))


@pytest.mark.parametrize(
    "content, remark",
    [
        ("no notebook", "is not a notebook"),
        ('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "has none of the graded cells"),
        ("[" * 100_000, "is not a notebook"),
    ],
)
def test_what_is_no_notebook_of_the_course_is_told_in_a_sentence(blank, tmp_path, content, remark):
    (tmp_path / "all" / "Bob_9").mkdir(parents=True)
    (tmp_path / "all" / "Bob_9" / f"{NAME}.ipynb").write_text(content)
    (found,) = collect(tmp_path / "all", {NAME: blank}, tmp_path / "scratch")
    assert found.notebook is None and remark in found.remark


def test_parameters_tags_and_cells_become_the_released_ones(blank):
    """No test is skipped by a tag, none is deleted, and nobody trains longer than the others."""
    notebook = answered(blank, c1="epochs = 1000")
    graded_cells(notebook)["c4"].metadata["tags"] = ["skip-execution"]
    notebook.cells = [cell for cell in notebook.cells if cell.id not in ("c5", "c6")]
    assert put_back(notebook, blank) == 2
    assert list(graded_cells(notebook)) == list(graded_cells(blank))
    assert graded_cells(notebook)["c4"].metadata == graded_cells(blank)["c4"].metadata
    assert notebook.cells[1].source == blank.cells[1].source


@pytest.mark.parametrize(
    "folder, name",
    [("Ada Lovelace_123_assignsubmission_file_", "Ada_Lovelace_123"), ("1234.zip", "1234"), ("../x y", "x_y")],
)
def test_student_names(tmp_path, folder, name):
    assert student_name(tmp_path / folder) == name


def test_what_cannot_be_graded_at_all_is_refused(tmp_path, course):
    with pytest.raises(CourseError, match="There is no folder"):
        collect(tmp_path / "none", {}, tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(CourseError, match="holds no gradebook"):
        grade(tmp_path, tmp_path / "out", 1, 1, 8, course)
    assert main(["grade", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2


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
    seeds = {name: seed_in(notebook) for name, notebook in handed_in.items()}
    assert seeds == {name: zlib.crc32(name.encode()) % 3 for name in students} and len({*seeds.values()}) > 1
    other = {name: seed for name, seed in seeds.items() if seed}
    honest, seed = next(iter(other.items()))
    released = {NAME: nbformat.from_dict(handed_in[next(name for name in students if not seeds[name])])}
    copied = next(name for name in students if seeds[name] != seed)
    for name in (honest, copied):  # both hand in what was made for the first of them
        (tmp_path / "in" / name).mkdir(parents=True)
        nbformat.write(handed_in[honest], tmp_path / "in" / name / f"{NAME}.ipynb")
    found = {each.student: each.notebook.cells[1].source for each in collect(tmp_path / "in", released, tmp_path)}
    handed_in[honest].cells[1].source = f"seed = {'9' * 5000}"  # more digits than Python turns into a number
    assert seed_in(handed_in[honest]) is None
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


def test_what_is_handed_in_anew_runs_anew_with_what_it_reads():
    after = {"01_a": [], "02_b": ["01_a"], "03_c": ["02_b"], "04_d": ["01_a"]}
    assert with_what_they_read({"03_c"}, after) == {"01_a", "02_b", "03_c"}
    assert with_what_they_read({"01_a"}, after) == {"01_a"} and with_what_they_read(set(), after) == set()
