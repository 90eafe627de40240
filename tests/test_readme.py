"""The figures in README come from the records it names."""

import json
import re

import pytest

from fcn.files import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
# | `files/results/<set>/<notebook>.json` | … | pixel accuracy | mean IoU | f.w. IoU |, the test figures
ROWS = re.findall(r"^\| `(files/results/[\w./]+\.json)` \|.*?\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", README,
                  re.MULTILINE)


def test_there_are_rows():
    assert len(ROWS) >= 5


@pytest.mark.parametrize("path, accuracy, mean_iou, weighted", ROWS, ids=[row[0] for row in ROWS])
def test_row_is_the_records(path, accuracy, mean_iou, weighted):
    test = json.loads((ROOT / path).read_text(encoding="utf-8"))["test"]
    assert [f"{test[name]:.3f}" for name in ("pixel_accuracy", "mean_iou", "frequency_weighted_iou")] == [
        accuracy, mean_iou, weighted]


def test_what_readme_names_is_there():
    for path in re.findall(r"\]\(((?:files|notebooks|dataset)/[^)]+)\)", README):
        assert (ROOT / path).is_file(), path
