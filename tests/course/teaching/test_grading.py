"""course.teaching.grading: solved notebooks get all automatic points, blank ones none; a bad one costs only itself."""

import csv
import shutil
import socket

import nbformat
import psutil
import pytest
from grading_samples import AREA, HIDDEN, NAME, RIGHT, answered

from core.errors import CourseError
from course.cli import main
from course.teaching.grading import cells, sandbox
from course.teaching.grading.grade import grade, with_what_they_read

WRONG = AREA.replace("width * height", "width + height")
SECRET = "a line in the instructor's home"
# What a hand-in with a wrong answer may try: to get points for it, or to harm others.
HARM = {
    "names": "expect = expect_close = own_work = lambda *a, **k: None\nall = any = isinstance = lambda *a: True",
    "patches": """import builtins, sys, types
import course.checks, course.checks.expectations as expectations
nothing = lambda *a, **k: None
course.checks.expect = expectations.expect = nothing
expect.__code__ = nothing.__code__
expectations.CheckFailed.__init__ = nothing
builtins.__import__ = lambda *a, **k: types.SimpleNamespace()
sys.modules["course.checks"] = types.SimpleNamespace(expect=nothing, own_work=nothing)
get_ipython().ast_transformers.append(nothing)
get_ipython().run_cell = get_ipython().run_cell_async = nothing""",
    "everything": "for name in [*globals()]:\n    globals()[name] = lambda *a, **k: None",
    "files": """import pathlib, sqlite3, sys
import course.checks, course.checks.expectations as expectations
for module in (expectations, course.checks):
    try:
        pathlib.Path(module.__file__).write_text("def expect(*a): pass\\nexpect_close = own_work = again = expect")
    except OSError:
        pass
for folder in (pathlib.Path.home() / ".ipython", pathlib.Path(os.environ["IPYTHONDIR"])):
    (folder / "profile_default" / "startup").mkdir(parents=True, exist_ok=True)
    (folder / "profile_default" / "startup" / "x.py").write_text("import course.checks as c; c.expect = print")
places = [*pathlib.Path.cwd().parents, pathlib.Path.home(), *map(pathlib.Path, sys.path)]
for place in places:
    if (place / "gradebook.db").exists():
        with sqlite3.connect(place / "gradebook.db") as book:
            book.execute("UPDATE grade SET auto_score = 99")
assert not [path for place in places for path in place.glob("course/teaching/grading/hidden/*")]
assert "A_SECRET" not in os.environ""",
    "outside": """import pathlib, socket, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(987)"], start_new_session=True)
for place in (os.path.expanduser("~/secret.txt"), HOME + "/secret.txt", OUT + "/gradebook.db"):
    print(place, os.path.exists(place) and pathlib.Path(place).read_bytes())
socket.create_connection(("127.0.0.1", PORT), timeout=5).sendall(b"here")""",
}
needs_bubblewrap = pytest.mark.skipif(not sandbox.has_bubblewrap(), reason="bubblewrap can't be used here")


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return {name: tmp_path_factory.mktemp(name) for name in ("submissions", "grading", "home")}


@pytest.fixture(scope="module")
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        yield server


@pytest.fixture(scope="module")
def graded(course, blank, places, listener):
    folder, out = places["submissions"], places["grading"] / "out"
    (places["home"] / "secret.txt").write_text(SECRET)
    deleted = answered(blank, **RIGHT)
    deleted.cells = [cell for cell in deleted.cells if cell.id != "c4"]
    exits = AREA.replace("return", "return os._exit(1) if width == 5 else")
    submissions = {
        "blank": blank,
        "crashes_4": answered(blank, **RIGHT | {"c3": exits}),
        "floods_6": answered(blank, **RIGHT | {"c3": "while True:\n    print('x' * 10**6)"}),
        "hangs_3": answered(blank, **RIGHT | {"c5": "while True:\n    time.sleep(1)"}),
        "shadows_2": answered(blank, **RIGHT | {"c3": f"sum, expect = 3, 4\n{AREA}", "c5": "side = sum"}),
        "solved_1": deleted,
        "zz_last": answered(blank, c3=WRONG),
    }
    for name, harm in HARM.items():
        known = f"OUT, HOME, PORT = {str(out)!r}, {str(places['home'])!r}, {listener.getsockname()[1]}\n"
        submissions[f"harm_{name}"] = answered(blank, c3=f"{WRONG}\n\n{known}{harm}", c5=RIGHT["c5"])
    for student, notebook in submissions.items():
        (folder / student).mkdir()
        nbformat.write(notebook, folder / student / f"{NAME}.ipynb")
    (folder / "binary_5").mkdir()
    (folder / "binary_5" / f"{NAME}.ipynb").write_bytes(b"\xff\xfe{}")
    (folder / "binary_5" / "=cmd|x.ipynb").write_bytes(b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(places["home"]))
        patch.setenv("A_SECRET", SECRET)
        return grade(folder, out, jobs=2, minutes=0.2, memory=8, root=course)


def rows(graded) -> dict[str, dict[str, str]]:
    with graded.table.open(encoding="utf-8", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file) if row["notebook"]}


def test_solved_gets_all_automatic_points_and_blank_none(graded):
    solved, blank = rows(graded)["solved_1"], rows(graded)["blank"]
    points = [solved[name] for name in ("automatic", "automatic_max", "max", "manual_pending")]
    assert points == ["2", "2", "4", "2"]
    assert solved["remark"] == "1 deleted cells were put back, empty or as released."
    assert (blank["automatic"], blank["manual_pending"], blank["remark"]) == ("0", "0", "")


def test_what_hangs_or_crashes_costs_only_what_was_not_run(graded):
    found = rows(graded)
    assert found["hangs_3"]["automatic"] == "1" and "time was over" in found["hangs_3"]["remark"]
    assert found["crashes_4"]["automatic"] == "0" and "Python ended" in found["crashes_4"]["remark"]
    assert found["floods_6"]["automatic"] == "0" and found["floods_6"]["remark"]
    assert found["binary_5"]["automatic"] == "0" and "is not" in found["binary_5"]["remark"]


def test_a_name_of_the_students_own_that_hides_another_costs_nothing(graded):
    assert rows(graded)["shadows_2"]["automatic"] == "2"


@pytest.mark.parametrize("name", HARM)
def test_harm_gives_no_points_and_takes_none(graded, name):
    assert rows(graded)[f"harm_{name}"]["automatic"] in ("0", "1")  # the second exercise is solved
    failed = (graded.page.parent / "autograded" / f"harm_{name}" / NAME / f"{NAME}.ipynb").read_text()
    assert any(text in failed for text in ("2 x 3 is 6.", "NotPassed", "TypeError"))


def test_nobody_gains_by_what_another_did(graded, places):
    assert rows(graded)["zz_last"]["automatic"] == "0"
    assert not [*places["home"].rglob(".ipython")] and (places["home"] / "secret.txt").read_text() == SECRET
    running = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not [words for words in running if "import time; time.sleep(987)" in words]


@needs_bubblewrap
def test_under_bubblewrap_there_is_no_network_and_no_home(graded, listener):
    with pytest.raises(TimeoutError):
        listener.accept()
    text = next((graded.page.parent / "autograded" / "harm_outside").rglob("*.ipynb")).read_text()
    assert text.count("secret.txt False") == 2 and "gradebook.db False" in text and SECRET not in text


def test_no_text_in_the_table_is_a_formula(graded):
    with graded.table.open(encoding="utf-8", newline="") as file:
        assert not [cell for row in csv.reader(file) for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert "'=cmd|x.ipynb" in graded.table.read_text(encoding="utf-8")


def test_feedback_and_the_page_are_written(graded):
    folder = graded.page.parent
    for student in rows(graded):
        assert (folder / "feedback" / student / NAME / f"{NAME}.html").stat().st_size > 100
    page = graded.page.read_text(encoding="utf-8")
    assert "area is still to be written" in page and "data:image/png;base64," in page
    assert not list((folder / "autograded").glob("binary_5"))


def test_only_what_changed_is_run_again(graded, course, places, tmp_path):
    """What a hidden test says is part of it, and points by hand stay."""
    folder, out = tmp_path / "in", places["grading"] / "out"
    for student in ("solved_1", "zz_last"):
        shutil.copytree(places["submissions"] / student, folder / student)

    def executed():
        grade(folder, out, jobs=1, minutes=1, memory=8, root=course)
        return {path.parent.parent.name: path.stat().st_mtime_ns for path in out.glob(f"autograded/*_*/{NAME}/*.ipynb")}

    before = executed()
    assert executed() == before
    hidden = cells.HIDDEN / f"{NAME}.py"
    hidden.write_text(HIDDEN.format(check="c4").replace("== 35", "== 36"))
    try:
        again = executed()
    finally:
        hidden.write_text(HIDDEN.format(check="c4"))
    assert again["solved_1"] > before["solved_1"] and again["zz_last"] > before["zz_last"]
    assert "solved_1,01_first,1,2" in (out / "grades.csv").read_text()


def test_what_cannot_be_graded_at_all_is_refused(tmp_path, course, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(CourseError, match="holds no gradebook"):
        grade(tmp_path, tmp_path / "out", 1, 1, 8, course)
    for jobs in ("0", "-1"):
        assert main(["grade", str(tmp_path / "none"), "--out", str(tmp_path / "new"), "--jobs", jobs]) == 2
        assert f"--jobs is {jobs}; give how many run" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_notebook_that_cannot_be_run_is_named_though_nobody_else_handed_it_in(tmp_path, course):
    (tmp_path / "in" / "Ada").mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "in" / "Ada" / "01_first.ipynb")
    (row,) = grade(tmp_path / "in", tmp_path / "out", 1, 1, 8, course).rows
    assert (row.student, row.notebook, row.automatic) == ("Ada", "01_first", 0)
    assert row.automatic_max > 0 and "has none of the graded cells" in row.remark


def test_without_bubblewrap_there_is_one_warning(monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    sandbox.has_bubblewrap.cache_clear()
    assert sandbox.command(shutil) == [] == sandbox.command(shutil)
    assert capsys.readouterr().err.count("warning: bubblewrap") == 1
    sandbox.has_bubblewrap.cache_clear()


def test_what_is_handed_in_anew_runs_anew_with_what_it_reads():
    after = {"01_a": [], "02_b": ["01_a"], "03_c": ["02_b"], "04_d": ["01_a"]}
    assert with_what_they_read({"03_c"}, after) == {"01_a", "02_b", "03_c"}
    assert with_what_they_read({"01_a"}, after) == {"01_a"} and with_what_they_read(set(), after) == set()
