"""course.report: the page about made-up records."""

import base64
import json
import re
from html.parser import HTMLParser

import pytest
from course_samples import record, write_records

from core.errors import CourseError
from course import report
from course.__main__ import main
from course.claims import facades as claims_facades

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Page(HTMLParser):
    """Collects what a page loads, its images and its table cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.loads, self.images, self.cells = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.loads += [attributes[name] for name in ("src", "href", "srcset", "action") if name in attributes]
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
    scratch = record(claims_facades.SCRATCH, 0, [0.1, 0.2, 0.15], 0.123, note="</script><b>")
    scratch["figures"] = [{"name": "sheet", "file": "sheet.png", "alt": 'rows & "columns" <4>'}]
    write_records(
        tmp_path,
        scratch,
        record(claims_facades.PRETRAINED, 0, [0.2, 0.3, 0.4], 0.321),
        record("05_compare", measured={"boundary_gain": 0.25}),
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


def test_figures_are_embedded_with_their_text(run):
    images = Page(page_of(run)).images
    sheet = [image for image in images if image["alt"] == 'rows & "columns" <4>']
    assert base64.b64decode(sheet[0]["src"].removeprefix("data:image/png;base64,")) == PNG
    assert all(image["alt"] for image in images)


def test_curves_show_every_history(run):
    curves = Page(page_of(run)).images[0]
    drawn = base64.b64decode(curves["src"].removeprefix("data:image/svg+xml;base64,")).decode()
    assert curves["alt"].endswith(
        "epoch. 02_fcn32s_scratch reaches mean IoU 0.200; 03_fcn32s_pretrained reaches mean IoU 0.400"
    )
    assert "05_compare" not in curves["alt"]
    for text in ("training loss", "validation mean IoU", "validation pixel accuracy", "03_fcn32s_pretrained"):
        assert f"<!-- {text} -->" in drawn


def test_tables_hold_the_records_figures(run):
    cells = Page(page_of(run)).cells
    at = cells.index("test")
    assert cells[at - 1 : at + 5] == ["02_fcn32s_scratch", "test", "0.500", "0.400", "0.123", "0.300"]
    at = cells.index("roof")
    assert cells[at : at + 3] == ["roof", "0.061", "0.161"]  # half of the two test figures
    assert cells[cells.index("sky <&>") + 1] == "–"
    assert cells[cells.index("class 0") + 1] == "0.900"
    assert cells[cells.index("pretrained-helps") + 3] == "+0.198 (1 seed): agrees"
    assert cells[cells.index("boundary_gain") + 1] == "0.25"
    assert any("sha256 = " + "ab" * 32 in cell for cell in cells)


def test_the_page_is_the_same_each_time(run):
    assert page_of(run) == page_of(run)


def test_a_run_without_training_has_a_page_without_curves(tmp_path):
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


def test_the_claims_table_is_printed_last(run, capsys):
    assert main(["report", str(run)]) == 0
    printed = capsys.readouterr().out
    assert printed.index("report.html") < printed.index("Claims: mean") < printed.index("any-size")


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
