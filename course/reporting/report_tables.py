"""The tables of what single notebooks measure: the FCN paper's two, localisation, outlines, digits, depth."""

from collections.abc import Callable, Mapping, Sequence

from core.errors import CourseError
from course.records.conditions import Results, alike, differences
from course.records.networks import BACKBONES
from course.reporting.report_groups import SCORES, Table, one_a_seed, spread

# Notebooks whose record says what became of others' networks: it is as good as those were trained.
BUILT_ON = {"05_compare": ("02_fcn32s_scratch", "03_fcn32s_pretrained", "04_fcn8s")}
# Long, Shelhamer and Darrell (CVPR 2015), tables 1 and 2: VOC 2011's validation set, ImageNet weights, in per cent.
PAPER_BACKBONES = {"alexnet": 39.8, "vgg16": 56.0, "googlenet": 42.5}
PAPER_SKIPS = {
    "FCN-32s": (89.1, 73.3, 59.4, 81.4),
    "FCN-16s": (90.0, 75.7, 62.4, 83.0),
    "FCN-8s": (90.3, 75.9, 62.7, 83.2),
}


def notebook_tables(runs: Sequence[Results]) -> list[Table]:
    """The FCN paper's tables, localisation scores and what else single notebooks measure of several networks."""
    tables = []
    for notebook, make in MEASURED.items():
        groups = alike(runs, [*BUILT_ON.get(notebook, ()), notebook])
        varied = differences([[group[0][name] for name in (*BUILT_ON.get(notebook, ()), notebook)] for group in groups])
        for group, what in zip(groups, varied):
            records = one_a_seed(group, notebook)
            try:
                table = make(records)
            except (KeyError, TypeError) as error:
                raise CourseError(
                    f"The record of {notebook} with seed {records[0]['seed']} lacks {error}; run the notebook again."
                ) from error
            seeds = f"{len(records)} seed{'s' if len(records) > 1 else ''}"
            title = f"{table.title} ({', '.join(text for text in (notebook, what, seeds) if text)})"
            tables.append(Table(title, table.header, table.rows, table.note))
    return tables


def recorded_localisation(records: Results) -> Table:
    """How well maps find objects in photographs, from the committed records."""
    columns = {
        "pointing_15px": "pointing game, 15 px",
        "pointing_difficult_15px": "difficult, 15 px",
        "pointing": "pointing game",
        "box_accuracy_0.5": "box accuracy at IoU 0.5",
    }
    tables = [record["measured"]["table"] for record in records.values()]
    return Table(
        f"Localisation in photographs, VOC 2007 (committed records, {len(tables)} seeds)",
        ["map", *columns.values()],
        [[name, *(spread(table[name][column] for table in tables) for column in columns)] for name in tables[0]],
        "EfficientNet-Lite0 with a linear head; the seeds split what the head learned from.",
    )


def _boundaries(records: Sequence[Mapping]) -> Table:
    named = [name.partition(": ")[2] for name in records[0]["measured"] if name.startswith("band mean IoU: ")]
    return Table(
        "At outlines and inside",
        ["network", "mean IoU, band", "mean IoU, interior"],
        [
            [name, *(spread(record["measured"][f"{part} mean IoU: {name}"] for record in records) for part in _PARTS)]
            for name in named
        ],
        f"The band reaches {records[0]['measured']['radius']} pixels from an outline.",
    )


_PARTS = ("band", "interior")


def _localisation(records: Sequence[Mapping]) -> Table:
    columns = {
        "pointing": "pointing game",
        "box_accuracy": "box accuracy at IoU 0.5",
        "pixel_average_precision": "pixel average precision",
        "probability_lost": "probability lost",
    }
    return Table(
        "Localisation of generated pictures",
        ["map", *columns.values()],
        [
            [name, *(spread(record["measured"][column].get(name) for record in records) for column in columns)]
            for name in records[0]["measured"]["pointing"]
        ],
        "Probability lost: what the class loses when the cells that the map marks are hidden.",
    )


def _plain_and_residual(records: Sequence[Mapping]) -> Table:
    parts = {"train": "training accuracy", "validation": "validation accuracy", "test": "test accuracy"}
    return Table(
        "Plain and residual networks",
        ["network, layers", *parts.values()],
        _rows(records, "accuracy", lambda row: [row[part] for part in parts]),
        f"After {records[0]['parameters']['epochs']} epochs.",
    )


def _digits(records: Sequence[Mapping]) -> Table:
    kinds = ("single", "grid", "hard")
    return Table(
        "Digits",
        ["trained on", *(f"{kind}: {what}" for kind in kinds for what in ("digits' mean IoU", "ink IoU"))],
        _rows(
            records,
            "scores",
            lambda row: [row[kind][score] for kind in kinds for score in ("digit_mean_iou", "ink_iou")],
        ),
        "Test pictures: single digits, grids of them, and hard scenes.",
    )


def _backbones(records: Sequence[Mapping]) -> Table:
    networks = records[0]["measured"]["networks"]
    shown = _rows(records, "networks", lambda row: [100 * row["mean_iou"], 1000 * row["forward_seconds"]], ".1f")
    return Table(
        "The FCN paper's table 1",
        ["network", "test mean IoU, %", "paper, %", "parameters at full width", "forward, ms"],
        [
            [
                BACKBONES.get(name, name),
                score,
                str(PAPER_BACKBONES.get(name, "–")),
                f"{networks[name]['parameters'] / 1e6:.1f} M",
                forward,
            ]
            for name, score, forward in shown
        ],
        "The paper's networks have ImageNet weights and VOC 2011's photographs.",
    )


def _skips(records: Sequence[Mapping]) -> Table:
    rows = _rows(records, "networks", lambda row: [100 * row[score] for score in SCORES], ".1f")
    rows += [[f"paper: {name}", *(f"{score:.1f}" for score in scores)] for name, scores in PAPER_SKIPS.items()]
    return Table(
        "The FCN paper's table 2",
        ["network", *(f"{name}, %" for name in SCORES.values())],
        rows,
        "Test set. The paper's networks have ImageNet weights and VOC 2011's photographs.",
    )


MEASURED: dict[str, Callable[[Sequence[Mapping]], Table]] = {
    "05_compare": _boundaries,
    "07_gradcam": _localisation,
    "08_plain_vs_residual": _plain_and_residual,
    "09_digit_surgery": _digits,
    "10_fcn_backbones": _backbones,
    "11_fcn_skips": _skips,
}


def _rows(
    records: Sequence[Mapping], part: str, values: Callable[[Mapping], Sequence[float]], form: str = ".3f"
) -> list[list[str]]:
    """A row for each entry of a part of what was measured, with the spread of its values over the records."""
    return [
        [
            name,
            *(spread(column, form) for column in zip(*(values(record["measured"][part][name]) for record in records))),
        ]
        for name in records[0]["measured"][part]
    ]
