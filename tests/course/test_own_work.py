"""course.checks.own_work, again and the answers in one line: what a student sees before, beside and beyond the task."""

import sys

import pytest
import torch

import fcn.geometry
from course.checks import CheckFailed, again, own_work
from course.checks.one_line import _sentence
from course.notebooks.markers import UNWRITTEN
from fcn.layers import LearnedUpsampling
from fcn.metrics import ConfusionMatrix

BLANK = "# *START OF YOUR CODE: kernel\n{}\n# *END OF YOUR CODE"


@pytest.fixture
def ran(monkeypatch):
    """Says which cells were run, and what the notebook's names stand for."""

    def say(*cells, **values):
        names = {"In": ["", *cells], "torch": torch, **values}
        # The package has a function of the module's name.
        monkeypatch.setattr(sys.modules["course.checks.own_work"], "_values", lambda: names)

    return say


def test_own_work_passes(ran):
    ran(
        "def helper(x):\n    return x + 1",
        BLANK.format("kernel = helper(torch.ones(2))"),
        LearnedUpsampling=LearnedUpsampling,
    )
    own_work("kernel")


@pytest.mark.parametrize(
    "source, origin",
    [
        ("kernel = LearnedUpsampling(3, 4, 2).weight", '"LearnedUpsampling" of fcn.layers'),
        ("kernel = geometry.bilinear_kernel(4, 2)", '"geometry" of fcn.geometry'),
        ("import fcn.geometry as g\nkernel = g.bilinear_kernel(4, 2)", '"fcn.geometry" of fcn.geometry'),
        ("from fcn.layers import LearnedUpsampling as L\nkernel = L(3, 4, 2)", '"fcn.layers" of fcn.layers'),
        ("kernel = matrix.mean_iou()", '"matrix" of fcn.metrics'),
    ],
)
def test_the_courses_own_solution_is_refused(ran, source, origin):
    ran(
        BLANK.format(source),
        LearnedUpsampling=LearnedUpsampling,
        geometry=fcn.geometry,
        matrix=ConfusionMatrix(3),
    )
    with pytest.raises(CheckFailed, match="the course's own solution") as failed:
        own_work("kernel")
    assert origin in str(failed.value)


def test_what_the_task_gives_is_not_refused(ran):
    ran(BLANK.format("kernel = LearnedUpsampling(3, 4, 2).weight"), LearnedUpsampling=LearnedUpsampling)
    own_work("kernel", "LearnedUpsampling")


def test_a_detour_through_another_cell_is_seen(ran):
    helper = "def helper():\n    return LearnedUpsampling(3, 4, 2)"
    names = {"LearnedUpsampling": LearnedUpsampling, "__name__": "__main__"}
    exec(helper, names)
    ran(helper, BLANK.format("kernel = helper()"), LearnedUpsampling=LearnedUpsampling, helper=names["helper"])
    with pytest.raises(CheckFailed, match='"LearnedUpsampling" of fcn.layers'):
        own_work("kernel")


def test_the_cell_that_was_run_last_counts_and_runs_again_with_other_values(ran):
    ran(BLANK.format("kernel = 3 * side"), BLANK.format("kernel = 2 * side"), side=1)
    assert again("kernel", side=5)["kernel"] == 10
    with pytest.raises(CheckFailed, match="nothing that was run defines crop"):
        again("crop")


def trace_of(source: str, filename: str):
    try:
        exec(compile(source, filename, "exec"), {})
    except Exception as error:
        return error, sys.exc_info()[2].tb_next
    raise AssertionError("nothing was raised")


def test_a_check_before_the_work_answers_in_one_line(monkeypatch):
    monkeypatch.setattr("course.checks.one_line._source", lambda filename: BLANK if "blank" in filename else "")
    stub, trace = trace_of(f'raise NotImplementedError("area {UNWRITTEN}: return the product")', "cell")
    assert _sentence(stub, trace) == f"area {UNWRITTEN}: return the product"
    assert _sentence(*trace_of("print(side)", "cell")).startswith("side isn't defined; run the cells above")


def test_mistakes_in_the_students_own_code_keep_their_traceback(monkeypatch):
    monkeypatch.setattr("course.checks.one_line._source", lambda filename: BLANK if "blank" in filename else "")
    assert _sentence(*trace_of("print(side)", "blank")) is None
    assert _sentence(*trace_of("def area():\n    return side\n\n\narea()", "cell")) is None
    assert _sentence(*trace_of('raise NotImplementedError("of torch")', "cell")) is None
