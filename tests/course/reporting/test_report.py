"""The report on made-up records: its tables, results.csv, and the page that papermill and nbconvert make."""

import base64
import csv
import json
import os
import re
from html.parser import HTMLParser

import pytest
from course_samples import record, write_records

from core.errors import CourseError
from core.files import ROOT
from course.cli import main
from course.reporting.claims.facades import PRETRAINED, SCRATCH, SKIPS
from course.reporting.frame import frame, write_csv
from course.reporting.runs import find_runs
from course.reporting.tables import class_tables, measured_table, measured_tables, score_table, summary, trained

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
COMPARED = {
    "boundary_gain": 0.25,
    "interior_gain": 0.1,
    "radius": 2,
    "band mean IoU: 32s, scratch": 0.1,
    "interior mean IoU: 32s, scratch": 0.2,
}


def of(*folders):
    return frame(find_runs(folders))


def scores(*folders) -> dict[str, dict[tuple, list]]:
    """Heading → (network, set) → its row of the table of scores."""
    return {
        heading: {tuple(row[:2]): row[2:] for row in score_table(group).values.tolist()}
        for heading, group in trained(of(*folders)).groupby("heading")
    }


def write_run(folder):
    scratch = record(SCRATCH, 0, [0.1, 0.2, 0.15], 0.123, init="he", note="</script><b>")
    scratch["figures"] = [{"name": "sheet", "file": "sheet.png", "alt": 'rows & "columns" <4>'}]
    write_records(
        folder,
        scratch,
        record(PRETRAINED, 0, [0.2, 0.3, 0.4], 0.321, weights="course"),
        record(SKIPS, 0, [0.3, 0.5], 0.4, weights="course"),
        record("05_compare", measured=COMPARED),
        record("08_digits", 0, test=0.9) | {"data": None},
    )
    (folder / SCRATCH / "sheet.png").write_bytes(PNG)
    return folder


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run")


class Page(HTMLParser):
    """Collects what a page loads, its images and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads, self.images, self.places, self.links, self.text = [], [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.loads += [attributes[name] for name in ("src", "srcset", "action") if name in attributes]
        self.places += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes["href"]] if "href" in attributes else []
        self.images += [attributes] if tag == "img" else []

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of one report, and what was printed; its kernel takes seconds."""
    folder = write_run(tmp_path_factory.mktemp("report") / "run")
    with pytest.MonkeyPatch.context() as patch:
        printed = []
        patch.setattr("builtins.print", lambda *texts, **_: printed.extend(map(str, texts)))
        assert main(["report", str(folder)]) == 0
    return folder, "\n".join(printed)


def test_the_page_is_self_contained_and_opens_with_the_verdicts(written):
    text = (written[0] / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.loads and all(value.startswith("data:image/") for value in page.loads)
    assert not re.search(r"@import|url\(|<script|<link|<iframe", text)
    assert "import Path" not in text and str(written[0]) not in text  # neither code nor paths
    assert all(image["alt"] for image in page.images)
    verdicts, curves = (image["alt"] for image in page.images[:2])
    assert verdicts.startswith("Verdicts. pretrained-helps: agrees on drawings") and "(committed records)" in verdicts
    assert "vgg-best" not in verdicts  # of which this run says nothing
    assert "02 FCN-32s, from scratch reaches mean IoU 0.200" in curves
    assert {link[1:] for link in page.links if link[0] == "#"} <= set(page.places)
    for shown in ("Built-in facades, 3 epochs", "Mean IoU at outlines and inside", "sha256", "sky <&>"):
        assert shown in page.text


def test_figures_are_embedded_with_their_text(written):
    images = Page((written[0] / "report.html").read_text(encoding="utf-8")).images
    (sheet,) = [image for image in images if image["alt"] == 'rows & "columns" <4>']
    assert base64.b64decode(sheet["src"].removeprefix("data:image/png;base64,")) == PNG


def test_scores_then_claims_are_printed(written):
    folder, printed = written
    assert (folder / "results.csv").is_file()
    order = ["report.html", "results.csv", "Built-in facades, 3 epochs", "02 FCN-32s", "pretrained-helps"]
    assert sorted(order, key=printed.index) == order
    assert "vgg-best" not in printed


def test_tables_hold_the_records_figures(run):
    (heading, found), _ = scores(run).items()
    assert heading == "Built-in facades, 3 epochs"
    assert found["02 FCN-32s, from scratch", "test"] == [1, "0.500", "0.400", "0.123", "0.300"]
    classes, _ = (table for _, group in trained(of(run)).groupby("heading") for table in class_tables(group))
    assert classes.set_index("class").loc["roof"].tolist() == ["0.061", "0.161", "0.200"]  # half of the test figures
    assert classes.set_index("class").loc["sky <&>"].tolist() == ["–"] * 3
    ((title, outlines, _),) = measured_tables(of(run))
    assert title == "Mean IoU at outlines and inside (05_compare, 1 seed)"
    assert outlines.values.tolist() == [["32s, scratch", "0.100", "0.200"]]


def test_data_that_only_their_hash_tells_apart_are_never_in_one_table(tmp_path):
    for seed, sha in enumerate(("ab", "cd")):
        write_records(tmp_path / sha, record(SKIPS, seed, [0.1], 0.2, sha256=sha * 32))
    assert list(scores(tmp_path)) == [f"Built-in facades, 3 epochs, data {sha * 4}" for sha in ("ab", "cd")]


def test_of_one_notebook_its_own_findings_are_printed(tmp_path):
    committed = json.loads((ROOT / "files/results/builtin_seed0/08_plain_vs_residual.json").read_text())
    write_records(tmp_path, committed | {"figures": []})
    printed = summary(of(tmp_path), [])
    assert re.search(r"plain 20 +0\.\d{3} +0\.\d{3} +0\.\d{3}\n", printed)


@pytest.fixture
def sweep(tmp_path):
    """Two learning rates, three seeds each, in a folder of runs."""
    for rate in (0.1, 0.2):
        for seed in range(3):
            write_records(
                tmp_path / "sweep" / f"rate={rate},seed={seed}",
                record(SCRATCH, seed, [0.1, 0.2, 0.1], 0.1, learning_rate=rate),
                record(PRETRAINED, seed, [0.1, 0.2, 0.3], 0.2 + rate * seed, learning_rate=rate),
            )
    return tmp_path / "sweep"


def test_seeds_are_joined_and_other_parameters_told_apart(sweep):
    (found,) = scores(sweep).values()
    name = "03 FCN-32s; learning_rate = 0.2"
    assert found[name, "validation"][:3] == [3, "0.500 ± 0.000", "0.400 ± 0.000"]
    assert found[name, "test"] == [3, "0.500 ± 0.000", "0.400 ± 0.000", "0.400 ± 0.200", "0.300 ± 0.000"]
    assert len(found) == 8


def test_the_csv_file_has_a_row_for_each_record(sweep, tmp_path):
    single = record(
        "12_photographs", 7, [0.1, 0.2], 0.4, images=["a", "b"], measured={"networks": {"x": {"mean_iou": 0.5}}}
    )
    write_records(tmp_path / "other", single | {"command": "=cmd|' /C calc'!A0", "folder": "whatever else it holds"})
    write_csv(of(sweep, tmp_path / "other"), sweep / "results.csv")
    with open(sweep / "results.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 13
    assert {row["folder"] for row in rows} >= {"rate=0.1,seed=2/02_fcn32s_scratch", "../other/12_photographs"}
    assert {row["parameters.epochs"] for row in rows} == {"3"}
    last = rows[-1]
    assert (last["notebook"], last["seed"], last["best_epoch"], last["wall_time"]) == (
        "12_photographs",
        "7",
        "2",
        "1.5",
    )
    assert (last["test.mean_iou"], last["validation.mean_iou"]) == ("0.4", "0.2")
    assert (last["parameters.images"], last["parameters.learning_rate"]) == ('["a", "b"]', "")
    assert last["measured.networks.x.mean_iou"] == "0.5"
    assert last["command"] == "'=cmd|' /C calc'!A0"  # no spreadsheet runs it


def test_what_a_sweep_links_is_read_with_each_run_and_counted_once(tmp_path):
    """FCN-32s from scratch doesn't know the weights that two other runs differ in."""
    write_records(tmp_path / "shared", record(SCRATCH, 0, [0.1, 0.2], 0.1))
    for weights in ("course", "none"):
        write_records(tmp_path / weights, record(PRETRAINED, 0, [0.2, 0.3], 0.3, weights=weights))
        (tmp_path / weights / SCRATCH).symlink_to("../shared/02_fcn32s_scratch")
    assert [sorted(run.results) for run in find_runs([tmp_path])].count([SCRATCH, PRETRAINED]) == 2
    assert len(of(tmp_path)) == 3


def test_a_training_without_a_notebook_is_a_run_of_its_own(tmp_path):
    for seed in (0, 1):
        each = record("x", seed, [0.1, 0.2], 0.2 + seed / 10, network="FCN8s") | {"notebook": None}
        (tmp_path / f"seed{seed}").mkdir()
        (tmp_path / f"seed{seed}" / "results.json").write_text(json.dumps(each))
    (found,) = scores(tmp_path).values()
    assert found["FCN8s", "test"][:4] == [2, "0.500 ± 0.000", "0.400 ± 0.000", "0.250 ± 0.071"]


def test_a_record_that_lacks_what_its_table_needs_is_named(run):
    with pytest.raises(CourseError, match="The record of 10_fcn_backbones with seed 0 lacks numbers"):
        measured_table([record("10_fcn_backbones", measured={"networks": {"vgg16": {}}})], "networks", ["mean_iou"])


def change(folder, **parts) -> None:
    path = folder / SCRATCH / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | parts))


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda run: change(run, parameters={"scale": "half"}), "record.parameters.scale must be number"),
        (lambda run: change(run, parameters={"epochs": [3]}), "record.parameters.epochs must be integer"),
        (
            lambda run: change(run, test={"iou_per_class": [0.5]}),
            "record.test.iou_per_class has 1 scores for 3 classes",
        ),
        (lambda run: change(run, figures=[{"name": "x", "file": "a\0", "alt": "x"}]), r"record.figures\[0\].file must"),
        (
            lambda run: (run / SCRATCH / "sheet.png").unlink(),
            "names the figure 'sheet.png', which is no file beside it",
        ),
    ],
    ids=["scale", "epochs", "classes", "NUL", "missing"],
)
def test_records_from_elsewhere_are_refused_in_one_sentence(run, spoil, message, capsys):
    spoil(run)
    assert main(["report", str(run)]) == 2
    error = capsys.readouterr().err
    assert re.search(f"{SCRATCH}/results.json.*{message}", error) and error.count("\n") == 1


def test_a_figure_is_a_regular_file_of_the_run(run, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    figure = run / SCRATCH / "sheet.png"
    for make in (os.mkfifo, lambda path: path.symlink_to(tmp_path / "secret.png"), os.mkdir):
        figure.unlink()
        make(figure)
        with pytest.raises(CourseError, match="which is no file beside it"):
            find_runs([run])


def test_a_folder_without_results_is_refused(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    assert "holds no results of a run" in capsys.readouterr().err
