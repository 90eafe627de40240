"""course.notebooks.source: names, parameters and their types."""

import subprocess
import sys

import nbformat
import pytest
from course_samples import write_notebook

from core.errors import CourseError
from core.files import ROOT
from course.notebooks import source as notebooks


@pytest.fixture
def folder(tmp_path):
    for name in ("02_second", "01_first"):
        write_notebook(tmp_path, name)
    return tmp_path


@pytest.mark.parametrize(
    "names, chosen",
    [
        ([], ["01_first", "02_second"]),
        (["02_second.ipynb", "notebooks/01_first.ipynb", "02_second"], ["02_second", "01_first"]),
    ],
)
def test_notebooks_are_found_by_name_or_path_in_the_order_given(folder, names, chosen):
    assert [path.stem for path in notebooks.choose(names, folder)] == chosen


def test_an_unknown_notebook_gets_the_nearest_name(folder):
    with pytest.raises(CourseError, match='no notebook "02_secnd"; did you mean "02_second"'):
        notebooks.choose(["02_secnd"], folder)


def test_parameters_are_read_with_their_types(folder):
    values = notebooks.defaults(notebooks.read(folder / "01_first.ipynb"))
    assert values == {
        "data": "builtin",
        "epochs": 12,
        "learning_rate": 0.001,
        "seed": 0,
        "resume": False,
        "images": [],
        "checkpoint": None,
        "out": "../runs/lab",
    }
    assert type(values["learning_rate"]) is float and type(values["resume"]) is bool


def test_a_parameter_that_is_computed_is_refused(tmp_path):
    path = write_notebook(tmp_path, "01_first", parameters="epochs = 3\nseed = int('1')")
    with pytest.raises(CourseError, match=r"seed = int\('1'\)"):
        notebooks.defaults(notebooks.read(path))


@pytest.mark.parametrize(
    "text, default, value",
    [
        ("3", 12, 3),
        ("-1", 12, -1),
        ("1e-3", 0.5, 0.001),
        ("2", 0.5, 2.0),
        ("true", False, True),
        ("False", True, False),
        ("3", "text", "3"),
        ('["a.jpg"]', [], ["a.jpg"]),
        ("null", None, None),
        ('"x"', None, "x"),
    ],
)
def test_values_take_the_type_of_the_default(text, default, value):
    parsed = notebooks.parse("name", text, default)
    assert parsed == value and type(parsed) is type(value)


@pytest.mark.parametrize(
    "text, default",
    [
        ("3.5", 12),
        ("many", 12),
        ("true", 12),
        ("x", 0.5),
        ("nan", 0.5),
        ("1", False),
        ("3", []),
        ("a.jpg", []),
        ("x", None),
    ],
)
def test_values_of_another_type_are_refused_with_an_example(text, default):
    with pytest.raises(CourseError, match=f'epochs cannot be "{text}"; give .*-p epochs'):
        notebooks.parse("epochs", text, default)


def test_what_is_no_notebook_is_refused(tmp_path):
    (tmp_path / "01.ipynb").write_text("{")
    with pytest.raises(CourseError, match="01.ipynb is not a notebook"):
        notebooks.read(tmp_path / "01.ipynb")


def test_a_source_is_read_as_nbformat_reads_it():
    for path in notebooks.choose([]):
        quick, whole = notebooks.read_source(path), notebooks.read(path)
        assert quick.metadata == whole.metadata and len(quick.cells) == len(whole.cells)
        for cell, expected in zip(quick.cells, whole.cells):
            assert {**cell, "outputs": None} == {**expected, "outputs": None}
            assert cell.source == expected.source and cell.metadata.get("tags") == expected.metadata.get("tags")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"cells": [1]}', '{"cells": [{}]}', '{"cells": [{"source": 1}]}'])
def test_what_is_no_notebook_is_no_source(tmp_path, text):
    path = tmp_path / "01.ipynb"
    path.write_text(text)
    with pytest.raises(CourseError, match="01.ipynb is not a notebook"):
        notebooks.read_source(path)
    with pytest.raises(CourseError, match="Cannot read the notebook .*missing.ipynb: No such file"):
        notebooks.read_source(tmp_path / "missing.ipynb")


def test_a_kernel_does_not_wait_for_what_only_tools_need():
    """A second for nbformat's schemas, most of one for scikit-learn, in each notebook that a student opens."""
    cells = {path.stem: notebooks.read_source(path).cells for path in notebooks.choose([])}
    imports = next(
        cell.source for cell in cells["12_photographs"] if cell.cell_type == "code" and cell.source.startswith("import")
    )
    code = (
        f"{imports}\nimport sys\nprint([name for name in ('nbformat', 'jsonschema', 'sklearn') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


def test_notebooks_name_those_whose_records_they_read():
    after = notebooks.dependencies(notebooks.choose([]))
    for path in notebooks.choose([]):
        code = "\n".join(cell.source for cell in notebooks.read(path).cells if cell.cell_type == "code")
        assert after[path.stem] == [name for name in after if name != path.stem and f'"{name}"' in code]
    groups = notebooks.groups(after)
    facades = {"02_fcn32s_scratch", "03_fcn32s_pretrained", "04_fcn8s", "05_compare"}
    assert {name for name, group in groups.items() if group == groups["05_compare"]} == facades
    assert len(set(groups.values())) == len(after) - 3


def test_what_is_not_run_is_not_waited_for(tmp_path):
    write_notebook(tmp_path, "01_first")
    second = write_notebook(tmp_path, "02_second", after=["01_first"])
    third = write_notebook(tmp_path, "03_third", after=["01_first", "02_second"])
    assert notebooks.dependencies([third, second]) == {"02_second": [], "03_third": ["02_second"]}


@pytest.mark.parametrize(
    "after", [["03_third"], ["02_second"], ["01_frist"], [1], "01_first", 1, None, {"01_first": 1}]
)
def test_dependencies_that_are_no_earlier_notebooks_are_refused(tmp_path, after):
    write_notebook(tmp_path, "01_first")
    path = write_notebook(tmp_path, "02_second")
    write_notebook(tmp_path, "03_third")
    notebook = notebooks.read(path)
    notebook.metadata.course["after"] = after
    nbformat.write(notebook, path)
    with pytest.raises(CourseError, match="02_second is to come after .*, which is no list of earlier notebooks"):
        notebooks.dependencies([path])


def test_groups_are_tied_through_others():
    after = {"1": [], "2": [], "3": ["1"], "4": [], "5": ["2", "3"], "6": ["4"]}
    groups = notebooks.groups(after)
    assert len({groups[name] for name in "1235"}) == 1 and groups["4"] == groups["6"]
    assert len(set(groups.values())) == 2
