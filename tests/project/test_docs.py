"""The numbers in README and docs/ come from the records they name."""

import functools
import json
import operator
import re
import statistics

import pytest

from core.files import ROOT
from core.record import read_record
from course.__main__ import COMMANDS
from course.records.recorded import recorded_scores

BACKBONES = ("alexnet", "vgg16", "googlenet")
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
SPEED = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
# | `files/results/<set>/<notebook>.json` | … | pixel accuracy | mean IoU | f.w. IoU |, the test figures
ROWS = re.findall(
    r"^\| `(files/results/[\w./]+\.json)` \|.*?\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", RESULTS, re.MULTILINE
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


# The rows of the FCN paper's tables, and the networks in the records that they come from.
PAPER_TABLES = {
    "builtin_seed?/10_fcn_backbones.json": {
        "FCN-32s, AlexNet": "alexnet",
        "FCN-32s, VGG-16": "vgg16",
        "FCN-32s, GoogLeNet": "googlenet",
    },
    "builtin_seed?/11_fcn_skips.json": {
        name: name for name in ("FCN-32s", "FCN-16s", "FCN-8s", "32s, as long", "16s, as long")
    },
    "skips_at_once/seed?.json": {"8s, at once": "8s, at once"},
}


def of_three_seeds(pattern: str) -> list[dict]:
    records = [read_record(path) for path in sorted((ROOT / "files/results").glob(pattern))]
    assert [record["seed"] for record in records] == [0, 1, 2]
    return records


def in_per_cent(records: list[dict], *path: str) -> str:
    return mean_and_deviation([100 * value for value in values_at(records, *path)], 1)


def over_seeds(records: list[dict], *path: str) -> str:
    return mean_and_deviation(values_at(records, *path), 3)


def values_at(records: list[dict], *path: str) -> list[float]:
    return [functools.reduce(operator.getitem, path, record) for record in records]


@pytest.mark.parametrize(
    "pattern, title, network",
    [(pattern, title, network) for pattern, rows in PAPER_TABLES.items() for title, network in rows.items()],
)
def test_paper_table_is_the_records(pattern, title, network):
    score = in_per_cent(of_three_seeds(pattern), "measured", "networks", network, "mean_iou")
    assert f"| {title} | {score} |" in RESULTS


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
    runs = [read_record(path)["measured"] for path in sorted((ROOT / "files/results/mnist_digits").glob("*.json"))]
    cells = [
        ", ".join(f"{run['test'][method][kind][figure]:.{digits}f}" for run in runs)
        for method in (f"fcn8, trained on {stage}", "baseline")
    ]
    assert f"| {row} | {' | '.join(cells)} |" in RESULTS


def mean_and_deviation(values: list[float], digits: int) -> str:
    return f"{statistics.mean(values):.{digits}f} ± {statistics.stdev(values):.{digits}f}"


@pytest.mark.parametrize("kind", ["CAM, aligned", "CAM, ordinary upsampling"])
def test_localisation_is_the_records(kind):
    records = [read_record(path) for path in sorted((ROOT / "files/results/localization").glob("*.json"))]
    values = [record["measured"]["table"][kind]["box_accuracy_0.5"] for record in records]
    assert len(values) == 3 and mean_and_deviation(values, 2) in RESULTS


@pytest.mark.parametrize("runs", ["cifar10_jpeg/plain20", "cifar10_jpeg/residual20"])
def test_residual_accuracies_are_the_records(runs):
    values = [read_record(path)["test"]["accuracy"] for path in sorted(ROOT.glob(f"files/results/{runs}_seed?.json"))]
    assert len(values) == 3 and mean_and_deviation(values, 3) in RESULTS


@pytest.mark.parametrize(
    "row, notebook, score",
    [
        ("FCN-32s from scratch", "02_fcn32s_scratch", lambda record: record["test"]["mean_iou"]),
        ("FCN-32s, pretrained", "03_fcn32s_pretrained", lambda record: record["test"]["mean_iou"]),
        ("FCN-8s, pretrained", "04_fcn8s", lambda record: record["test"]["mean_iou"]),
        ("CAM", "07_gradcam", lambda record: record["measured"]["pointing"]["CAM, aligned"]),
    ],
)
def test_readmes_rows_of_drawings_are_the_records(row, notebook, score):
    records = [read_record(path) for path in sorted(ROOT.glob(f"files/results/builtin_seed?/{notebook}.json"))]
    assert [record["seed"] for record in records] == [0, 1, 2]
    line = next(line for line in README.splitlines() if line.startswith(f"| {row}"))
    assert f"| {mean_and_deviation([score(record) for record in records], 3)} |" in line and notebook in line


def test_readmes_row_of_photographs_is_the_records():
    line = next(line for line in README.splitlines() if line.startswith("| FCN-8s on EfficientNet-Lite0"))
    assert "`cmp_balanced/FCN8s_imagenet_seed0.json` (1, 2)" in line
    records = of_three_seeds("cmp_balanced/FCN8s_imagenet_seed?.json")
    test, validation = (
        ", ".join(over_seeds(records, split, name) for name in ("pixel_accuracy", "mean_iou"))
        for split in ("test", "validation")
    )
    assert f"| {test} (validation {validation}) |" in line
    assert {record["parameters"]["data"] for record in records} == {"cmp"}


def test_readme_is_short_and_everything_it_and_docs_name_is_there():
    assert len(README.splitlines()) <= 120
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_place_that_docs_name_is_there():
    """The map for newcomers above all: each of its ten questions has one place."""
    map_ = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^\| [^|]+\? \|", map_, re.MULTILINE)) == 10
    for page in sorted((ROOT / "docs").glob("*.md")):
        for place in re.findall(r"`((?:core|fcn|cam|residual|course|tests|files)/[\w/.]*)`", page.read_text()):
            assert (ROOT / place).exists(), f"{page.name}: {place}"


def test_every_command_that_is_named_is_one():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "files/README.md"]:
        for name in re.findall(
            r"(?:^ {4}|`)(?:python -m )?course ([a-z][a-z-]+)", page.read_text("utf-8"), re.MULTILINE
        ):
            assert name in COMMANDS, f"{page.name}: course {name}"


def test_every_module_that_is_to_be_run_is_there():
    """`python -m …`, wherever the code or a page tells it."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "files/README.md", ROOT / "dataset/README.md"]
    sources = [
        path
        for package in ("core", "fcn", "cam", "residual", "course", "benchmarks", "tests")
        for path in (ROOT / package).rglob("*.py")
    ]
    own = {path.name for path in ROOT.iterdir() if path.is_dir()}
    for page in [*pages, *sources]:
        for module in re.findall(r"python -m ([a-z_]+(?:\.[a-z_]+)*)\b(?!\.\w)", page.read_text(encoding="utf-8")):
            if module.split(".")[0] in own:
                path = ROOT / module.replace(".", "/")
                assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), f"{page}: {module}"


def test_what_results_say_of_photographs_is_the_records():
    folder = ROOT / "files/results"
    names = ("02_fcn32s_scratch", "03_fcn32s_pretrained", "04_fcn8s", "05_compare")
    runs = [[read_record(run / f"{name}.json") for name in names] for run in sorted(folder.glob("photographs_seed?"))]
    tests = [[record["test"]["mean_iou"] for record in run[:3]] for run in runs]
    pretraining = mean_and_deviation([coarse - scratch for scratch, coarse, _ in tests], 3)
    skips = mean_and_deviation([fine - coarse for _, coarse, fine in tests], 3)
    parts = [
        mean_and_deviation([run[3]["measured"][name] for run in runs], 3) for name in ("interior_gain", "boundary_gain")
    ]
    unlearned, narrow, narrow_course = (
        [read_record(path)["test"]["mean_iou"] for path in sorted(folder.glob(f"{pattern}_seed?.json"))]
        for pattern in ("cmp_windows/FCN8s_none", "cmp_narrow/FCN8s_none", "cmp_narrow/FCN8s_course")
    )
    assert len(unlearned) == len(narrow) == len(narrow_course) == 3
    learned = mean_and_deviation([after - before for before, after in zip(narrow, narrow_course)], 3)
    long = read_record(folder / "cmp_balanced/FCN8s_imagenet_seed0.json")
    mirror, mended = (long["measured"][name] for name in ("with_mirror", "test_without_doubtful"))
    pairs = {
        name: tuple(scores[key] for key in ("pixel_accuracy", "mean_iou"))
        for name, scores in (
            ("validation", long["validation"]),
            ("test", long["test"]),
            ("mirrored", mirror["validation"]),
            ("mirrored test", mirror["test"]),
            ("mended", mended),
        )
    }
    text = " ".join(RESULTS.split())
    for said in (
        f"adds {pretraining} to the test mean IoU of FCN-32s after eight epochs, the skips {skips} more "
        f"({len(runs)} seeds)",
        f"regions ({parts[0]}) than in the band of two pixels along outlines ({parts[1]})",
        f"has a test mean IoU of {mean_and_deviation(unlearned, 3)} after the same eight epochs",
        f"VGG-16 on photographs too, by {learned} test mean IoU",
        "seed 0) has {:.4f} and {:.4f}".format(*pairs["validation"]),
        "mirror image {:.4f} and {:.4f}".format(*pairs["mirrored"]),
        "{:.3f} and {:.3f} (with the mirror".format(*pairs["test"]),
        "(with the mirror {:.3f} and {:.3f})".format(*pairs["mirrored test"]),
        "{:.3f} and {:.3f} in the place of ".format(*pairs["mended"]) + "{:.3f} and {:.3f}".format(*pairs["test"]),
    ):
        assert said in text, said


def test_what_results_say_of_the_long_training_is_the_records():
    records = of_three_seeds("cmp_balanced/FCN8s_imagenet_seed?.json")
    plain, mirrored, test = (
        " and ".join(over_seeds(records, *path, name) for name in ("pixel_accuracy", "mean_iou"))
        for path in (("validation",), ("measured", "with_mirror", "validation"), ("test",))
    )
    assert f"three seeds have {plain}, with the mirror {mirrored}; on test {test}" in " ".join(RESULTS.split())


def test_what_results_say_of_backbones_on_photographs_is_the_record():
    networks = read_record(ROOT / "files/results/photographs_seed0/10_fcn_backbones.json")["measured"]["networks"]
    *small, modern = (f"{100 * networks[name]['mean_iou']:.1f}" for name in (*BACKBONES, "efficientnet_lite0"))
    said = f"GoogLeNet have {', '.join(small)}, and EfficientNet-Lite0, with ImageNet's weights, {modern}."
    assert said in " ".join(RESULTS.split())


def test_what_results_say_of_vocs_photographs_is_the_records():
    stages, at_once = (
        of_three_seeds("photographs_seed?/11_fcn_skips.json"),
        of_three_seeds("voc2007_at_once/seed?.json"),
    )
    text = " ".join(RESULTS.split())
    for name in ("mean_iou", "pixel_accuracy"):
        row = ", ".join(in_per_cent(stages, "measured", "networks", f"FCN-{step}s", name) for step in (32, 16, 8))
        assert row in text and in_per_cent(at_once, "test", name) in text, name
    networks = [record["measured"]["networks"] for record in stages]
    skips = [100 * (each["FCN-8s"]["mean_iou"] - each["FCN-32s"]["mean_iou"]) for each in networks]
    ahead = [100 * (a["test"]["mean_iou"] - b["FCN-8s"]["mean_iou"]) for a, b in zip(at_once, networks)]
    for gains in (skips, ahead):
        assert f"{', '.join(f'{gain:+.1f}' for gain in gains)})" in text


@pytest.mark.parametrize("record", ["cmp_balanced/FCN8s_imagenet_seed0", "cmp_narrow/FCN8s_none_seed0"])
def test_what_speed_says_of_reading_is_the_records(record):
    history = read_record(ROOT / f"files/results/{record}.json")["history"]
    reading, all_of_it = (sum(entry[name] for entry in history) for name in ("reading_seconds", "seconds"))
    assert f"{100 * reading / all_of_it:.1f} %" in SPEED


def test_what_speed_says_of_the_whole_course_is_the_record():
    measured = read_record(ROOT / "files/benchmarks/whole_course.json")["measured"]
    before, after, same = (f"{seconds:.0f} s" for seconds in measured["seconds"].values())
    longest = [f"{max(notebooks.values()):.0f} s" for notebooks in measured["notebooks"].values()]
    text = " ".join(SPEED.split())
    assert (
        f"{before} then, {after} now for thirteen notebooks, {measured['ratio']} times; {same} for the eleven" in text
    )
    assert f"alone, {measured['ratio_same']} times" in text
    assert "took {}, and takes {}.".format(*longest) in text


def test_what_speed_says_of_the_narrow_step_is_the_record():
    measured = read_record(ROOT / "files/benchmarks/narrow_step.json")["measured"]
    for name, way in measured.items():
        before, now, floor = (f"{1000 * way[f'{part}_seconds']:.0f}" for part in ("before", "now", "floor"))
        ratio = "{ratio:.2f} ({ratio_low:.2f} to {ratio_high:.2f})".format(**way)
        assert f"| {name} | {before} | {now} | {ratio} | {floor} |" in SPEED, name


def test_the_table_of_photographs_is_the_records():
    rows = [
        f"| {title} | {row['epochs']} | {row['seeds']} | "
        + " | ".join(
            row[f"{split}.{name}"] for split in ("validation", "test") for name in ("pixel_accuracy", "mean_iou")
        )
        + " |"
        for title, row in recorded_scores().items()
    ]
    assert "\n".join(rows) in RESULTS


@pytest.mark.parametrize("backbone", ["vgg16", "alexnet", "googlenet"])
def test_what_files_says_of_the_small_weights_is_the_records(backbone):
    path = f"results/pretraining/{backbone}.json"
    validation = read_record(ROOT / "files" / path)["validation"]
    scores = " | ".join(f"{validation[name]:.3f}" for name in ("accuracy", "top5_accuracy"))
    assert f"| `{path}` | {scores} |" in (ROOT / "files/README.md").read_text(encoding="utf-8")


def test_what_results_say_of_the_papers_tables_is_the_records():
    tables = [
        [record["measured"]["networks"] for record in of_three_seeds(pattern)] for pattern in list(PAPER_TABLES)[:2]
    ]
    leads = [100 * (nets["vgg16"]["mean_iou"] - nets["alexnet"]["mean_iou"]) for nets in tables[0]]
    means = {
        name: statistics.mean(100 * nets[name]["mean_iou"] for nets in tables[1])
        for name in ("FCN-8s", "16s, as long", "32s, as long")
    }
    fine, middle, coarse = means.values()
    text = " ".join(RESULTS.split())
    assert f"only by {statistics.mean(leads):.1f} ± {statistics.stdev(leads):.1f} after three epochs" in text
    assert f"8s is {fine - middle:.1f} ahead of 16s, and 16s {middle - coarse:.1f} ahead of 32s" in text
