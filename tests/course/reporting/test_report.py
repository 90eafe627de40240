"""course.reporting.report: the page about made-up records."""

import base64
import csv
import json
import re
from html.parser import HTMLParser

import pytest
from course_samples import record, write_records

from core.errors import CourseError
from core.files import ROOT
from course.__main__ import main
from course.reporting import report
from course.reporting.claims import facades as claims_facades
from course.reporting.claims.measure import recorded_runs
from course.reporting.report_tables import PAPER_BACKBONES, PAPER_SKIPS, notebook_tables

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


class Page(HTMLParser):
    """Collects what a page loads, its images and its table cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.loads, self.images, self.cells, self.places, self.links = [], [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.loads += [attributes[name] for name in ("src", "srcset", "action") if name in attributes]
        self.places += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes["href"]] if "href" in attributes else []
        if tag == "img":
            self.images.append(attributes)
        elif tag in ("td", "th"):
            self.cells.append("")
        if tag not in ("img", "meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th", "strong", "code"):
            self.cells[-1] += data.strip()


@pytest.fixture
def run(tmp_path):
    scratch = record(claims_facades.SCRATCH, 0, [0.1, 0.2, 0.15], 0.123, init="he", note="</script><b>")
    scratch["figures"] = [{"name": "sheet", "file": "sheet.png", "alt": 'rows & "columns" <4>'}]
    write_records(
        tmp_path,
        scratch,
        record(claims_facades.PRETRAINED, 0, [0.2, 0.3, 0.4], 0.321, weights="course"),
        record(claims_facades.SKIPS, 0, [0.3, 0.5], 0.4, weights="course"),
        record("05_compare", measured=COMPARED),
        record("08_digits", 0, test=0.9) | {"data": None},
    )
    (tmp_path / claims_facades.SCRATCH / "sheet.png").write_bytes(PNG)
    return tmp_path


def page_of(run):
    report.write_report(run)
    return (run / "report.html").read_text(encoding="utf-8")


def test_nothing_is_loaded_from_elsewhere_and_tags_are_in_pairs(run):
    text = page_of(run)
    page = Page(text)
    assert page.open == []
    assert page.loads and all(value.startswith("data:image/") for value in page.loads)
    assert not re.search(r"@import|url\(|<script|<link|<iframe", text)


def test_the_contents_lead_to_every_section(run):
    page = Page(page_of(run))
    assert {link.removeprefix("#") for link in page.links} == set(page.places)
    assert len(page.places) == len(set(page.places))


def test_figures_are_embedded_with_their_text(run):
    images = Page(page_of(run)).images
    sheet = [image for image in images if image["alt"] == 'rows & "columns" <4>']
    assert base64.b64decode(sheet[0]["src"].removeprefix("data:image/png;base64,")) == PNG
    assert all(image["alt"] for image in images)


def test_it_opens_with_the_verdicts(run):
    verdicts = Page(page_of(run)).images[0]["alt"]
    assert verdicts.startswith("Verdicts. pretrained-helps: agrees on drawings")
    assert "(committed records)" in verdicts and "vgg-best" not in verdicts  # of which this run says nothing


def test_curves_show_every_history(run):
    curves = Page(page_of(run)).images[1]
    drawn = base64.b64decode(curves["src"].removeprefix("data:image/svg+xml;base64,")).decode()
    names = ("02 FCN-32s, from scratch", "03 FCN-32s, small course weights")
    assert f"epoch. {names[0]} reaches mean IoU 0.200; {names[1]} reaches mean IoU 0.400; 04 FCN-8s" in curves["alt"]
    for text in ("training loss", "validation mean IoU", "validation pixel accuracy", names[1]):
        assert f"<!-- {text} -->" in drawn


def test_tables_hold_the_records_figures(run):
    cells = Page(page_of(run)).cells
    at = cells.index("test")
    assert cells[at - 2 : at + 6] == [
        "02 FCN-32s, from scratch",
        "02_fcn32s_scratch",
        *("test", "1", "0.500", "0.400", "0.123", "0.300"),
    ]
    at = cells.index("roof")
    assert cells[at : at + 4] == ["roof", "0.061", "0.161", "0.200"]  # half of the test figures
    assert cells[cells.index("sky <&>") + 1] == "–"
    assert cells[cells.index("class 0") + 1] == "0.900"
    assert cells[cells.index("pretrained-helps") + 3] == "+0.198 (1 seed): agrees"
    assert cells[cells.index("32s, scratch") :][:3] == ["32s, scratch", "0.100", "0.200"]
    assert any("sha256 = " + "ab" * 32 in cell for cell in cells)


def test_the_page_is_the_same_each_time(run):
    assert page_of(run) == page_of(run)


def test_a_run_without_training_has_a_page_without_pictures(tmp_path):
    write_records(tmp_path, record("01_facades"))
    page = Page(page_of(tmp_path))
    assert page.open == [] and page.images == []


def test_a_folder_without_results_is_refused(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    assert "holds no results of a run" in capsys.readouterr().err


def test_a_missing_figure_is_named(run):
    (run / claims_facades.SCRATCH / "sheet.png").unlink()
    with pytest.raises(CourseError, match="sheet.png, which its record names; .* again: 02_fcn32s"):
        page_of(run)


def test_scores_then_claims_are_printed(run, capsys):
    assert main(["report", str(run)]) == 0
    printed = capsys.readouterr().out
    order = [
        "report.html",
        "results.csv",
        "Built-in facades, 3 epochs",
        "02 FCN-32s",
        "Claims: mean",
        "pretrained-helps",
    ]
    assert sorted(order, key=printed.index) == order
    assert "vgg-best" not in printed


def test_of_one_notebook_its_own_findings_are_printed(tmp_path, capsys):
    accuracy = {"plain 20": {"train": 0.6, "validation": 0.5, "test": 0.4}}
    write_records(tmp_path, record("08_plain_vs_residual", 0, measured=measured_of_08(accuracy), depths=[8, 20]))
    main(["report", str(tmp_path)])
    printed = capsys.readouterr().out
    assert re.search(r"plain 20 +0.600 +0.500 +0.400\n", printed)
    assert "pretrained-helps" not in printed and "residual-faster" in printed


def measured_of_08(accuracy):
    """As the committed record has it, with other accuracies."""
    path = ROOT / "files" / "results" / "builtin_seed0" / "08_plain_vs_residual.json"
    measured = json.loads(path.read_text())["measured"]
    return measured | {"accuracy": measured["accuracy"] | accuracy}


@pytest.fixture
def sweep(tmp_path):
    """Two learning rates, three seeds each, in a folder of runs; the pictures are in none of them."""
    for rate in (0.1, 0.2):
        for seed in range(3):
            write_records(
                tmp_path / "sweep" / f"rate={rate},seed={seed}",
                record(claims_facades.SCRATCH, seed, [0.1, 0.2, 0.1], 0.1, learning_rate=rate),
                record(claims_facades.PRETRAINED, seed, [0.1, 0.2, 0.3], 0.2 + rate * seed, learning_rate=rate),
            )
    return tmp_path / "sweep"


def test_seeds_are_joined_and_other_parameters_told_apart(sweep):
    page = Page(page_of(sweep))
    at = page.cells.index("03 FCN-32s; learning_rate = 0.2")
    assert page.cells[at + 2 : at + 7] == ["validation", "3", "0.500 ± 0.000", "0.400 ± 0.000", "0.300 ± 0.000"]
    assert page.cells[at + 10 : at + 15] == ["test", "3", "0.500 ± 0.000", "0.400 ± 0.000", "0.400 ± 0.200"]
    at = page.cells.index("pretrained-helps")
    assert page.cells[at + 3] == (
        "+0.200 ± 0.100 (3 seeds): reproduced; learning_rate = 0.1"
        "+0.300 ± 0.200 (3 seeds): reproduced; learning_rate = 0.2"
    )
    assert page.images[1]["alt"].count("reaches mean IoU") == 4
    assert page.images[1]["alt"].endswith("reaches mean IoU 0.300, 0.300, 0.300")


def test_the_table_has_a_row_for_each_notebook_of_each_run(sweep, tmp_path):
    single = record(
        "12_photographs", 7, [0.1, 0.2], 0.4, images=["a", "b"], measured={"networks": {"x": {"mean_iou": 0.5}}}
    )
    write_records(tmp_path / "other", single)
    written = report.write_report(sweep, tmp_path / "other")
    assert written.page == sweep / "report.html"
    with open(written.table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 13
    assert {row["folder"] for row in rows} >= {"rate=0.1,seed=2/02_fcn32s_scratch", "../other/12_photographs"}
    last = rows[-1]
    assert (last["notebook"], last["seed"], last["epochs"], last["best_epoch"]) == ("12_photographs", "7", "2", "2")
    assert (last["test.mean_iou"], last["validation.mean_iou"], last["wall_time"]) == ("0.4", "0.2", "1.5")
    assert (last["parameters.images"], last["parameters.learning_rate"]) == ('["a", "b"]', "")
    assert last["measured.networks.x.mean_iou"] == "0.5" and last["command"] == "python -m course run"


def test_what_a_sweep_links_is_read_with_each_run_and_counted_once(tmp_path):
    """FCN-32s from scratch doesn't know the weights that two other runs differ in."""
    write_records(tmp_path / "shared", record(claims_facades.SCRATCH, 0, [0.1, 0.2], 0.1))
    for weights, test in (("course", 0.3), ("none", 0.2)):
        write_records(tmp_path / weights, record(claims_facades.PRETRAINED, 0, [0.2, 0.3], test, weights=weights))
        (tmp_path / weights / claims_facades.SCRATCH).symlink_to("../shared/02_fcn32s_scratch")
    cells = Page(page_of(tmp_path)).cells
    assert "+0.200 (1 seed): agrees; weights = course+0.100 (1 seed): agrees; weights = none" in cells
    assert len([cell for cell in cells if cell.startswith("02 FCN-32s")]) == 3  # two sets, and a column of classes
    assert cells[cells.index("02_fcn32s_scratch") :][:3] == ["02_fcn32s_scratch", "validation", "1"]
    with open(tmp_path / "results.csv", newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 3


def test_a_training_without_a_notebook_is_a_run_of_its_own(tmp_path):
    for seed in (0, 1):
        each = record("x", seed, [0.1, 0.2], 0.2 + seed / 10, network="FCN8s") | {"notebook": None}
        write_records(tmp_path, each | {"notebook": f"seed{seed}"})
        path = tmp_path / f"seed{seed}" / "results.json"
        path.write_text(json.dumps(each))
    cells = Page(page_of(tmp_path)).cells
    at = cells.index("test")
    assert cells[at : at + 5] == ["test", "2", "0.500 ± 0.000", "0.400 ± 0.000", "0.250 ± 0.071"]


def test_the_papers_tables_stand_beside_the_papers_numbers():
    """From the committed records; the same numbers stand in docs/results.md, which its own test holds."""
    runs = [run for name, run in recorded_runs().items() if name.startswith("builtin_seed")]
    tables = {table.title: table for table in notebook_tables(runs)}
    (first,) = [table for title, table in tables.items() if "table 1" in title]
    assert ["VGG-16", "9.3 ± 0.2", "56.0"] in [row[:3] for row in first.rows]
    (second,) = [table for title, table in tables.items() if "table 2" in title]
    assert ["FCN-8s", "18.1 ± 2.3"] in [[row[0], row[3]] for row in second.rows]
    assert ["paper: FCN-8s", "90.3", "75.9", "62.7", "83.2"] in second.rows
    (maps,) = [table for title, table in tables.items() if "Localisation" in title]
    assert dict(row[:2] for row in maps.rows)["CAM, aligned"] == "0.933 ± 0.014"
    assert {title[-9:] for title in tables} == {", 3 seeds)"[-9:]}


def test_a_record_that_lacks_what_its_table_needs_is_named(run):
    path = run / "05_compare" / "results.json"
    changed = json.loads(path.read_text())
    changed["measured"]["band mean IoU: 8s"] = 0.3
    path.write_text(json.dumps(changed))
    with pytest.raises(CourseError, match="05_compare with seed 0 lacks 'interior mean IoU: 8s'"):
        report.write_report(run)


def test_the_papers_numbers_are_the_notebooks():
    sources = {
        name: (ROOT / "notebooks" / f"{name}.ipynb").read_text() for name in ("10_fcn_backbones", "11_fcn_skips")
    }
    for score in PAPER_BACKBONES.values():
        assert f'\\"mean_iou\\": {score}' in sources["10_fcn_backbones"]
    for name, scores in PAPER_SKIPS.items():
        assert f'\\"{name}\\": {scores}' in sources["11_fcn_skips"]


def test_a_record_that_names_a_file_elsewhere_embeds_nothing(run, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    path = next(run.glob("*/results.json"))
    changed = json.loads(path.read_text())
    for name in ("../../secret.png", str(secret), "..", "a/b.png"):
        changed["figures"] = [{"name": "x", "file": name, "alt": "x"}]
        path.write_text(json.dumps(changed))
        with pytest.raises(CourseError, match="is not a file beside it"):
            report.write_report(run)
