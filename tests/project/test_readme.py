"""The figures in README come from the records it names."""

import json
import re
import statistics

import pytest

from core.files import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
# | `files/results/<set>/<notebook>.json` | … | pixel accuracy | mean IoU | f.w. IoU |, the test figures
ROWS = re.findall(
    r"^\| `(files/results/[\w./]+\.json)` \|.*?\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", README, re.MULTILINE
)


def test_there_are_rows():
    assert len(ROWS) >= 5


@pytest.mark.parametrize("path, accuracy, mean_iou, weighted", ROWS, ids=[row[0] for row in ROWS])
def test_row_is_the_records(path, accuracy, mean_iou, weighted):
    test = json.loads((ROOT / path).read_text(encoding="utf-8"))["test"]
    assert [f"{test[name]:.3f}" for name in ("pixel_accuracy", "mean_iou", "frequency_weighted_iou")] == [
        accuracy,
        mean_iou,
        weighted,
    ]


# The rows of the FCN paper's tables, and the networks in the records of the notebooks that they come from.
PAPER_TABLES = {
    "10_fcn_backbones": {"FCN-32s, AlexNet": "alexnet", "FCN-32s, VGG-16": "vgg16", "FCN-32s, GoogLeNet": "googlenet"},
    "11_fcn_skips": {
        name: name for name in ("FCN-32s", "FCN-16s", "FCN-8s", "32s, as long", "16s, as long", "8s, at once")
    },
}


def spread(runs, notebook, network):
    """Test mean IoU of a network in per cent: mean and standard deviation over the seeds."""
    records = [
        json.loads(path.read_text()) for path in sorted(ROOT.glob(f"files/results/{runs}_seed?/{notebook}.json"))
    ]
    assert [record["seed"] for record in records] == [0, 1, 2]
    values = [100 * record["measured"]["networks"][network]["mean_iou"] for record in records]
    return f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f}"


@pytest.mark.parametrize(
    "notebook, title, network",
    [(notebook, title, network) for notebook, rows in PAPER_TABLES.items() for title, network in rows.items()],
)
def test_paper_table_is_the_records(notebook, title, network):
    assert f"| {title} | {spread('builtin', notebook, network)} | {spread('voc2007', notebook, network)} |" in README


@pytest.mark.parametrize(
    "row, stage, kind, figure, digits",
    [
        ("single digits, single digits: pixel accuracy", "single digits", "single", "pixel_accuracy", 4),
        ("the same: mean IoU, 11 classes", "single digits", "single", "mean_iou", 3),
        ("single digits, grids it never saw: mean IoU of the digits", "single digits", "grid", "digit_mean_iou", 3),
        ("then scenes, hard scenes: mean IoU of the digits", "scenes", "hard", "digit_mean_iou", 3),
        ("then grids, grids: mean IoU of the digits", "grids", "grid", "digit_mean_iou", 3),
    ],
)
def test_digit_table_is_the_records(row, stage, kind, figure, digits):
    runs = json.loads((ROOT / "files/results/mnist_digits.json").read_text())["runs"]
    cells = [
        ", ".join(f"{run['test'][method][kind][figure]:.{digits}f}" for run in runs)
        for method in (f"fcn8, trained on {stage}", "baseline")
    ]
    assert f"| {row} | {' | '.join(cells)} |" in README


def test_what_readme_names_is_there():
    for path in re.findall(r"\]\(((?:files|notebooks|dataset)/[^)]+)\)", README):
        assert (ROOT / path).is_file(), path
