"""What the real notebooks refuse, found before anything runs."""

import pytest

from core.errors import CourseError
from course.notebooks import source as notebooks
from course.notebooks.parameters import resolve

ALL = notebooks.choose([])


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("epochs", "0", "epochs is 0; give a number above 0"),
        ("scale", "0", "scale is 0.0; give a number above 0"),
        ("scale", "-1", "scale is -1.0"),
        ("batch_size", "0", "batch_size is 0"),
        ("learning_rate", "inf", "learning_rate cannot be"),
        ("width", "0.3", "fraction of a channel"),
        ("full_width", "0.3", "fraction of a channel"),
        ("weights", "imagnet", 'There is no weights "imagnet"; did you mean "imagenet"'),
        ("width", "1.0", 'There are no "course" weights of width 1.0'),
        ("precision", "float16", 'There is no precision "float16"'),
        ("init", "ones", 'There is no init "ones"; choose one of he, zero'),
        ("training", "papers", 'did you mean "paper"'),
        ("depths", '["20", 35]', "depths cannot be"),
        ("depths", "[20, 0]", "depths is 0"),
        ("images", "[1]", "images cannot be"),
        ("seed", "-1", "seed is -1"),
        ("seed", "7", "seed is 7 for 07_gradcam; choose one of 0, 1, 2"),
        ("data", "houses", 'There is no data "houses"'),
        ("digits", "minst", 'There is no digits "minst"; did you mean "mnist"'),
        ("pictures", "nowhere/cifar", "There is no folder"),
    ],
)
def test_values_that_cannot_be(name, text, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CourseError, match=words.replace("(", r"\(")):
        resolve(ALL, [(name, text)])


def test_the_quick_configuration_passes():
    resolve(ALL, [("seed", "1"), ("epochs", "2"), ("precision", "auto"), ("data", "builtin")])


def test_a_known_name_wins_over_a_folder_and_a_folder_needs_no_slash(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("builtin", "mydata"):
        for part in ("base", "extended"):
            (tmp_path / folder / part).mkdir(parents=True)
    chain = notebooks.choose(["02_fcn32s_scratch"])
    assert resolve(chain, [("data", "builtin")])["02_fcn32s_scratch"]["data"] == "builtin"
    assert resolve(chain, [("data", "mydata")])["02_fcn32s_scratch"]["data"] == str(tmp_path / "mydata")


@pytest.mark.parametrize("cells", [0, 2])
def test_a_notebook_without_one_parameters_cell_is_refused(cells):
    notebook = notebooks.read(ALL[0])
    first = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    notebook.cells = [cell for cell in notebook.cells if cell is not first] + [first] * cells
    with pytest.raises(CourseError, match=f"01_facades has {cells} cells tagged parameters; it needs one"):
        notebooks.defaults(notebook, "01_facades")
