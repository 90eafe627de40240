"""course.notebooks.presets: named files of parameters, found wrong before anything runs."""

import json

import pytest
import yaml
from course_samples import START, write_notebook

from core.errors import CourseError
from core.files import ROOT
from course.cli import main
from course.notebooks import parameters, presets
from course.notebooks import source as notebooks
from course.notebooks.presets import Preset
from course.running import run

FACADES = 'data = "builtin"  # "builtin", "cmp", or a folder with base/ and extended/\nscale = 0.5\nseed = 0\nout = "x"'
DEEP = (
    'backbone = "vgg16"  # "vgg16" or "efficientnet_lite0"\nwidth = 0.125\n'
    'weights = "course"  # "course", "imagenet" or "none"\ntraining = "course"  # "course", "paper" or "windows"\n'
)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Two notebooks and a preset for one of them; what each is given is noted, none is executed."""
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path / "notebooks")
    monkeypatch.setattr(presets, "FOLDER", tmp_path / "presets")
    monkeypatch.setattr(run, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(parameters, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    write_notebook(tmp_path / "notebooks", "02_facades", START, "record.save()", parameters=FACADES)
    write_notebook(tmp_path / "notebooks", "03_deep", START, "record.save()", parameters=DEEP + FACADES)
    write(tmp_path, "02_facades", "scale: 0.25")
    return tmp_path


@pytest.fixture
def given(course, monkeypatch):
    calls = {}

    def note(tasks, *_):
        calls.update({task.name: task.parameters for task in tasks})

    monkeypatch.setattr(run, "execute_all", note)
    return calls


def write(folder, notebook, text, preset="mine"):
    path = folder / "presets" / preset / f"{notebook}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_presets_notebooks_get_its_parameters_and_the_others_their_defaults(course, given):
    folder = run.run([], preset="mine")
    assert folder == course / "runs" / "mine"
    assert given == {"02_facades": {"scale": 0.25, "out": str(folder)}, "03_deep": {"out": str(folder)}}


def test_quick_is_the_notebooks_own_defaults(given):
    folder = run.run(["02_facades"], preset="quick")
    assert folder.name == "builtin" and given == {"02_facades": {"out": str(folder)}}


def test_what_is_given_wins_over_the_preset(course, given, small_facades):
    write(course, "02_facades", "data: cmp  # which is not there\nscale: 0.25\nseed: 3")
    folder = run.run(["02_facades"], [("scale", "0.75")], data=str(small_facades), preset="mine")
    assert given["02_facades"] == {"data": str(small_facades), "scale": 0.75, "seed": 3, "out": str(folder)}
    assert folder.name == "mine-facades-scale=0.75"


def test_the_record_says_which_preset_and_holds_the_values(course):
    assert main(["run", "02_facades", "--preset", "mine", "-p", "seed", "2", "--out", "out"]) == 0
    record = json.loads((course / "out/02_facades/results.json").read_text())
    assert record["parameters"] == {"data": "builtin", "scale": 0.25, "seed": 2}
    assert record["command"] == "python -m course run 02_facades --preset mine -p seed 2 --out .../out"


@pytest.mark.parametrize(
    "notebook, text, words",
    [
        (
            "02_facades",
            "scal: 0.5",
            '02_facades.yaml: There is no parameter of 02_facades "scal"; did you mean "scale"',
        ),
        ("02_facades", "scale: 0", "02_facades.yaml: scale is 0.0; give a number above 0"),
        ("02_facades", "scale: half", '02_facades.yaml: The parameter scale cannot be "half"'),
        ("02_facades", "seed: 1.5", "02_facades.yaml: The parameter seed cannot be"),
        ("02_facades", "data: houses", '02_facades.yaml: There is no data "houses"'),
        ("02_facades", "out: here", '02_facades.yaml: There is no parameter of 02_facades "out"'),
        ("03_deep", "training: windoes", '03_deep.yaml: There is no training "windoes"; did you mean "windows"'),
        ("03_deep", "backbone: resnet", '03_deep.yaml: There is no backbone "resnet"'),
        ("02_facade", "scale: 0.5", '02_facade.yaml: There is no notebook "02_facade"; did you mean "02_facades"'),
        ("02_facades", "- scale", "02_facades.yaml: it holds no names and values"),
        ("02_facades", "", "02_facades.yaml: it holds no names and values"),
        ("02_facades", "{scale", "02_facades.yaml: it is not YAML"),
        ("02_facades", "!!python/object/apply:os.getcwd []", "02_facades.yaml: it is not YAML"),
        ("02_facades", "data: cmp", "cmp is not in dataset/cmp; fetch it with `course data cmp`"),
    ],
)
def test_a_wrong_file_is_named_before_anything_runs(course, given, capsys, notebook, text, words):
    """Also if its notebook isn't among those that are to run, but for data that only a run needs."""
    write(course, notebook, text)
    chosen = [] if text == "data: cmp" else ["03_deep"]
    assert main(["run", *chosen, "--preset", "mine"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and words in error and len(error.strip().splitlines()) == 1
    assert not given and not (course / "runs").exists()


def test_an_unknown_preset_gets_the_nearest_name(given, capsys):
    assert main(["run", "--preset", "mien"]) == 2
    assert 'There is no preset "mien"; did you mean "mine"' in capsys.readouterr().err and not given


@pytest.mark.parametrize(
    "text, words",
    [
        ("backbone: efficientnet_lite0", "no small weights of efficientnet_lite0; use .imagenet."),
        ("weights: imagenet", 'no "imagenet" weights of width 0.125'),
        ("backbone: efficientnet_lite0\nweights: none\ntraining: paper", "no learning rate for efficientnet_lite0"),
    ],
)
def test_values_that_do_not_go_together(course, given, text, words):
    write(course, "03_deep", text)
    with pytest.raises(CourseError, match=words):
        run.run([], preset="mine")
    assert not given


def test_no_preset_can_be_read_from_elsewhere(course, given):
    write(course / "presets", "02_facades", "scale: 1")
    with pytest.raises(CourseError, match="There is no preset"):
        run.run([], preset="../presets/mine")


SHIPPED = sorted((ROOT / "presets").glob("*/*.yaml"))


def test_the_courses_presets():
    assert presets.names() == ["quick", "full", "photographs"]
    assert len(SHIPPED) >= 14


@pytest.mark.parametrize("name", ["photographs", "full"])
def test_the_courses_presets_fit_its_notebooks(name, tmp_path, monkeypatch):
    for data in ("cmp", "voc"):
        (tmp_path / "dataset" / data).mkdir(parents=True)
    monkeypatch.setattr(parameters, "ROOT", tmp_path)
    resolved = parameters.resolve(notebooks.choose([]), [], Preset(name))
    # The three that notebook 05 compares differ in nothing but what is under test.
    chain = [resolved[stem] for stem in ("02_fcn32s_scratch", "03_fcn32s_pretrained", "04_fcn8s")]
    alike = [{key: value for key, value in each.items() if key not in ("init", "weights")} for each in chain]
    assert alike[0] == alike[1] == alike[2] and alike[0]["data"] == resolved["05_compare"]["data"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_papermill_would_get_the_same_types(path):
    """It takes a file's values as they are."""
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    defaults = notebooks.defaults(notebooks.read(notebooks.FOLDER / f"{path.stem}.ipynb"))
    assert {name: type(value) for name, value in values.items()} == {name: type(defaults[name]) for name in values}


@pytest.mark.parametrize("name", ["photographs", "full"])
def test_photographs_that_were_not_fetched_are_found_before_anything_runs(name, tmp_path, monkeypatch):
    monkeypatch.setattr(parameters, "ROOT", tmp_path)
    monkeypatch.setattr(run, "execute_all", lambda *_: pytest.fail("something ran"))
    with pytest.raises(CourseError, match="cmp is not in dataset/cmp; fetch it with `course data cmp`"):
        run.run([], preset=name, out=str(tmp_path / "out"))
    (tmp_path / "dataset" / "cmp").mkdir(parents=True)
    with pytest.raises(CourseError, match="voc is not in dataset/voc; fetch it with `course data voc`"):
        run.run([], preset=name, out=str(tmp_path / "out"))


def test_a_folder_of_facades_goes_to_notebook_11_as_well(small_facades):
    given = [("data", str(small_facades))]
    resolved = parameters.resolve(notebooks.choose([]), given, Preset("photographs"))
    assert {resolved[stem]["data"] for stem in resolved if "data" in resolved[stem]} == {str(small_facades)}
    assert resolved["11_fcn_skips"]["backbone"] == "efficientnet_lite0"


@pytest.mark.parametrize(
    "name, notebook, smaller", [("photographs", "04_fcn8s", []), ("full", "02_fcn32s_scratch", [("width", "0.125")])]
)
def test_the_courses_presets_run_on_tiny_pictures(name, notebook, smaller, small_facades, tmp_path):
    (small_facades / "splits.json").write_text(json.dumps({"train": 6, "validation": 1, "test": 3}))
    given = [("epochs", "1"), ("scale", "1.0"), *smaller]
    out = run.run([notebook], given, str(small_facades), str(tmp_path / "out"), name)
    record = json.loads((out / notebook / "results.json").read_text())
    file = yaml.safe_load((ROOT / "presets" / name / f"{notebook}.yaml").read_text(encoding="utf-8"))
    given = {"data": ".../facades", "epochs": 1, "scale": 1.0} | {key: float(text) for key, text in smaller}
    assert file | given == {key: record["parameters"][key] for key in file}
    assert record["test"]["mean_iou"] > 0 and f"--preset {name}" in record["command"]
