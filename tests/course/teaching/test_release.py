"""course.teaching.release: the blank version holds nothing of the solutions, and says what to do."""

import copy
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from course_samples import write_notebook
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from core.errors import CourseError
from core.files import ROOT
from course.cli import main
from course.notebooks import source as notebooks
from course.notebooks.blanks import HINT, TEXT_STUB, blank
from course.notebooks.markers import BEGIN, END, UNWRITTEN
from course.teaching.release import copy_course, release

SOLVED = """def area(width, height):
    # *START OF YOUR CODE: the area in pixels
    product_of_both = width * height
    return product_of_both
    # *END OF YOUR CODE (leave this line)

before_and_after = 1"""
ANSWER = """## Question
*START OF YOUR CODE
It is the product of the two sides, of course.
*END OF YOUR CODE"""


@pytest.fixture
def solved(tmp_path):
    path = write_notebook(tmp_path / "notebooks", "01_first", SOLVED, "print('checked')\narea(2, 3)", ANSWER)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text="product_of_both is 6")]
    notebook.cells[2].execution_count = 4
    notebook.metadata["widgets"] = {"state": "product_of_both"}
    return notebook


def inside_and_outside(notebook) -> tuple[list[str], list[str]]:
    """The stripped lines in marked regions, and all others; a line with both markers speaks of them."""
    inside, outside = [], []
    for cell in notebook.cells:
        within = False
        for line in map(str.strip, cell.source.split("\n")):
            if (BEGIN in line) != (END in line):
                within = BEGIN in line
                outside.append(line)
            else:
                (inside if within else outside).append(line)
    return inside, outside


def solution_lines(notebook) -> set[str]:
    """The lines in marked regions that are quoted nowhere outside of them and are no mere brackets."""
    inside, outside = inside_and_outside(notebook)
    around = "\n".join(outside)
    return {line for line in inside if len(line) >= 12 and line not in around}


def test_regions_are_emptied_between_markers_that_stay(solved):
    cells = blank(solved, "01_first").cells
    lines = cells[2].source.split("\n")
    assert lines[:2] == ["def area(width, height):", "    # *START OF YOUR CODE: the area in pixels"]
    assert lines[2] == f"    {HINT}"
    assert lines[3] == f'    raise NotImplementedError("area {UNWRITTEN}: the area in pixels")'
    assert lines[4:] == ["    # *END OF YOUR CODE (leave this line)", "", "before_and_after = 1"]
    assert cells[4].source.split("\n") == [
        "## Question",
        "*START OF YOUR CODE",
        "*Write your answer here.*",
        "*END OF YOUR CODE",
    ]


def test_nothing_of_the_solution_stays(solved):
    assert solution_lines(solved) == {
        "product_of_both = width * height",
        "return product_of_both",
        "It is the product of the two sides, of course.",
    }
    lines = solution_lines(solved)
    text = nbformat.writes(blank(solved, "01_first"))
    assert not [line for line in lines if line in text]
    assert "product_of_both" not in text and '"execution_count": 4' not in text


@pytest.mark.parametrize("path", sorted(notebooks.FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_nothing_of_the_courses_solutions_stays(path):
    notebook = notebooks.read(path)
    lines = solution_lines(notebook)
    blanked = blank(copy.deepcopy(notebook), path.stem)
    text = "\n".join(cell.source for cell in blanked.cells)
    assert not [line for line in lines if line in text]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in blanked.cells)
    inside, outside = inside_and_outside(blanked)
    assert {line for line in inside if UNWRITTEN not in line} <= {HINT, TEXT_STUB}
    assert outside == inside_and_outside(notebook)[1]


def test_the_blank_version_runs_to_its_first_blank_which_says_what_to_do(solved):
    notebook = blank(solved, "01_first")
    with pytest.raises(CellExecutionError):
        NotebookClient(notebook, kernel_name="python3").execute()
    checked, error = notebook.cells[3].outputs
    assert (checked.text, error.ename) == ("checked\n", "NotImplementedError")
    assert error.evalue == f"area {UNWRITTEN}: the area in pixels"


@pytest.mark.parametrize("regions", [1, 3, None])
def test_a_region_more_or_less_than_the_notebook_says_is_refused(solved, regions):
    """A marker that nobody recognises any more would leave its solution in."""
    solved.metadata["course"] = {"regions": regions}
    with pytest.raises(CourseError, match=f"01_first has 2 regions of solutions where its metadata say {regions}"):
        blank(solved, "01_first")


@pytest.mark.parametrize(
    "source, problem",
    [
        ("# *START OF YOUR CODE: x\nx = 1", 'without "\\*END'),
        ("# *START OF YOUR CODE\nx = 1\n# *END OF YOUR CODE", "doesn't say what is to be written"),
        ("x = 1\n# *END OF YOUR CODE", 'without a "\\*START'),
        ("# *START OF YOUR CODE: x\n# *START OF YOUR CODE: x\n# *END OF YOUR CODE", "a second"),
        ("# *START OF YOUR CODE: x\nx = 1\n# END OF YOUR CODE\ny = 2\n# *END OF YOUR CODE", "isn't quite a marker"),
        *(
            (line, "isn't quite a marker")
            for line in (
                "# START OF YOUR CODE\nx = 1\n# END OF YOUR CODE",
                "## Question\n<!-- *BEGIN OF YOUR CODE -->",
                "# *START OF YOURCODE",
                "# *START OF YOU CODE",
                "# *start of your code: the area",
                "# * START OF YOUR CODE",
                "# STRAT OF YOUR CODE",
                "# *END OF YOR CODE",
            )
        ),
    ],
)
def test_markers_that_are_not_in_pairs_or_resemble_one_are_refused(tmp_path, source, problem):
    path = write_notebook(tmp_path, "01_first", "x = 0", source)
    with pytest.raises(CourseError, match=f"01_first, cell 4: .*{problem}"):
        blank(nbformat.read(path, as_version=4), "01_first")


def test_a_line_that_speaks_of_the_markers_stays(tmp_path):
    line = "## Write between `*START OF YOUR CODE` and `*END OF YOUR CODE`."
    path = write_notebook(tmp_path, "01_first", line, SOLVED)
    cells = blank(nbformat.read(path, as_version=4), "01_first").cells
    assert cells[2].source == line
    assert "product_of_both" not in cells[3].source


@pytest.fixture
def course(tmp_path):
    """A small course folder with one notebook."""
    root = tmp_path / "course"
    write_notebook(root / "notebooks", "01_first", SOLVED)
    for name in (
        "README.md",
        "fcn/models.py",
        "course/running/run.py",
        "course/teaching/release.py",
        "course/teaching/grading/hidden/01_first.py",
        "docs/instructors/index.md",
        "docs/speed.md",
        "fcn/__pycache__/models.pyc",
        "dataset/SHA256SUMS",
        "dataset/cmp/a.jpg",
        "runs/lab/a",
        "tests/test_a.py",
        "experiments/a.py",
        ".git/config",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_the_release_holds_what_a_student_needs_and_no_more(course, tmp_path):
    (tmp_path / "blank").mkdir()
    release(tmp_path / "blank", course)
    files = [path for path in (tmp_path / "blank").rglob("*") if path.is_file()]
    assert {path.relative_to(tmp_path / "blank").as_posix() for path in files} == {
        "README.md",
        "Makefile",
        "nbgrader_config.py",
        "fcn/models.py",
        "course/running/run.py",
        "docs/speed.md",
        "dataset/SHA256SUMS",
        "notebooks/01_first.ipynb",
    }
    assert "make handin" in (tmp_path / "blank" / "README.md").read_text()  # the student's own
    assert "product_of_both" not in (tmp_path / "blank" / "notebooks" / "01_first.ipynb").read_text()
    assert "product_of_both" in (course / "notebooks" / "01_first.ipynb").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blank", "course"]


def test_a_full_folder_is_left_alone(course, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.txt").write_text("mine")
    with pytest.raises(CourseError, match="isn't an empty folder"):
        release(tmp_path / "mine", course)
    assert main(["release", str(tmp_path / "mine")]) == 2
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["work.txt"]


def test_a_folder_within_what_is_copied_is_refused(course):
    with pytest.raises(CourseError, match="lies in what is to be copied"):
        release(course / "fcn" / "blank", course)


def test_a_bad_notebook_leaves_no_release(course, tmp_path):
    write_notebook(course / "notebooks", "02_second", "# *START OF YOUR CODE: x")
    with pytest.raises(CourseError, match="02_second, cell 3"):
        release(tmp_path / "blank", course)
    assert not (tmp_path / "blank").exists()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_list_of_students_may_come_from_any_editor(course, tmp_path, monkeypatch, encoding):
    made = []
    monkeypatch.setattr("course.teaching.release.release_variants", lambda folder, students: made.extend(students))
    (tmp_path / "names.txt").write_bytes("Jo\u0308rg\r\nada\r\n".encode(encoding))
    assert main(["release", str(tmp_path / "class"), "--students", str(tmp_path / "names.txt")]) == 0
    assert made == ["Jörg", "ada"]


@pytest.fixture(scope="module")
def students_copy(tmp_path_factory):
    """The course's own, with its solved notebooks: they have the same texts."""
    folder = tmp_path_factory.mktemp("student") / "course"
    copy_course(ROOT, folder)
    shutil.copytree(notebooks.FOLDER, folder / "notebooks")
    return folder


def test_every_link_in_a_students_copy_leads_somewhere(students_copy):
    pages = {path: path.read_text(encoding="utf-8") for path in students_copy.rglob("*.md")}
    for path in (students_copy / "notebooks").glob("*.ipynb"):
        cells = notebooks.read(path).cells
        pages[path] = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    links = [(page, link) for page, text in pages.items() for link in re.findall(r"\]\(([^)#\s]+)", text)]
    assert len(links) > 50
    assert [(page.name, link) for page, link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_students_are_told_of_each_page_once_and_of_targets_and_tools_that_are_there(students_copy):
    readme, makefile = ((students_copy / name).read_text(encoding="utf-8") for name in ("README.md", "Makefile"))
    pages = re.findall(r"\]\(([^)]+)\)", readme)
    assert len(pages) == len(set(pages))
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"\bmake (?!is\b)([a-z]+)", readme)) <= targets >= {"lab", "check", "handin"}
    for tool in re.findall(r"\$\(BIN\)/(\S+)", makefile):
        assert (Path(sys.executable).parent / tool).exists(), tool


def test_students_have_no_commands_for_instructors_and_all_others(students_copy):
    def commands(folder):
        ended = subprocess.run(
            [sys.executable, "-m", "course", "--help"], cwd=folder, capture_output=True, text=True, check=True
        )
        return set(re.findall(r"^ {2,4}([a-z-]+) ", ended.stdout, re.MULTILINE))

    assert commands(ROOT) - commands(students_copy) == {"release", "grade", "slides"}
