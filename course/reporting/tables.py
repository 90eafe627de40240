"""The tables of a report, made by pandas from the frame of its records."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from core.errors import CourseError
from core.spread import mean_and_spread
from course.records.comparison import differences
from course.reporting.claims.table import Finding, aligned, claims_text
from course.reporting.frame import TITLES

SCORES = {
    "pixel_accuracy": "pixel accuracy",
    "mean_accuracy": "mean accuracy",
    "mean_iou": "mean IoU",
    "frequency_weighted_iou": "f.w. IoU",
}
SETS = ("validation", "test")
# What single notebooks measure of several networks or maps: title, place in `measured`, columns there, a note.
MEASURED = {
    "05_compare": ("Mean IoU at outlines and inside", "", ("band", "interior"), ""),
    "07_gradcam": (
        "Localisation in generated pictures",
        "",
        ("pointing", "box_accuracy", "pixel_average_precision", "probability_lost"),
        "Probability lost: of the class, when the cells that the map marks are hidden.",
    ),
    "08_plain_vs_residual": (
        "Plain and residual networks by layers: accuracy",
        "accuracy",
        ("train", "validation", "test"),
        "",
    ),
    "09_digit_surgery": (
        "Digits",
        "scores",
        [f"{on}.{score}" for on in ("single", "grid", "hard") for score in ("digit_mean_iou", "ink_iou")],
        "Test pictures: single digits, grids of them, and hard scenes.",
    ),
    "10_fcn_backbones": (
        "The FCN paper's table 1: backbones",
        "networks",
        ("mean_iou", "forward_seconds"),
        "The paper has 0.398 (AlexNet), 0.560 (VGG-16), 0.425 (GoogLeNet): ImageNet weights, VOC 2011's photographs.",
    ),
    "11_fcn_skips": (
        "The FCN paper's table 2: skips",
        "networks",
        tuple(SCORES),
        "The paper has a mean IoU of 0.594 (32s), 0.624 (16s), 0.627 (8s): ImageNet weights, VOC 2011's photographs.",
    ),
}


def trained(records: pd.DataFrame) -> pd.DataFrame:
    """The records with a mean IoU, one a seed.

    `heading` names the data by their hash where that alone tells them apart, `network` the parameters that do.
    """
    scored = [any((each[part] or {}).get("mean_iou") is not None for part in SETS) for each in records["record"]]
    found = records[scored].drop_duplicates(["conditions", "seed"]).copy()
    found["hash"] = [((record["data"] or {}).get("sha256") or "no hash")[:8] for record in found["record"]]
    for _, same in found.groupby("heading"):
        if same["hash"].nunique() > 1:
            found.loc[same.index, "heading"] += ", data " + same["hash"]
    for _, same in found.groupby(["heading", "network"]):
        groups = [group for _, group in same.groupby("conditions", sort=False)]
        for group, told in zip(groups, differences([[group["record"].iloc[0]] for group in groups])):
            found.loc[group.index, "network"] += f"; {told}" if told else ""
    return found


def score_table(group: pd.DataFrame) -> pd.DataFrame:
    """Scores of the kept epoch; one row a network and set, mean ± standard deviation over the seeds."""
    rows = [
        {"network": row.network, "set": part, "seeds": 1}
        | {title: (row.record[part] or {}).get(score) for score, title in SCORES.items()}
        for row in group.itertuples()
        for part in SETS
        if row.record[part]
    ]
    several = pd.DataFrame(rows).groupby(["network", "set"], sort=False)
    return several.agg({"seeds": "sum"} | dict.fromkeys(SCORES.values(), spread)).reset_index()


def class_tables(group: pd.DataFrame) -> list[pd.DataFrame]:
    """IoU by class on the test set; one table for the networks that have the same classes."""
    tables: dict[tuple, dict[str, list]] = {}
    for name, same in group.groupby("network", sort=False):
        scores = [(record["test"] or {}).get("iou_per_class") for record in same["record"]]
        if all(scores) and len({len(each) for each in scores}) == 1:
            numbered = [f"class {number}" for number in range(len(scores[0]))]
            classes = (same["record"].iloc[0]["data"] or {}).get("classes") or numbered
            tables.setdefault(tuple(classes), {})[name] = [spread(values) for values in zip(*scores)]
    return [
        pd.DataFrame(columns, index=classes).rename_axis("class").reset_index() for classes, columns in tables.items()
    ]


def measured_tables(records: pd.DataFrame) -> list[tuple[str, pd.DataFrame, str]]:
    """Title, table and note of what single notebooks measured, mean ± standard deviation over the seeds.

    Raises:
        CourseError: a record lacks what its table shows.
    """
    found = []
    for notebook, (title, place, columns, note) in MEASURED.items():
        of_notebook = records[records["notebook"] == notebook].drop_duplicates(["conditions", "seed"])
        groups = [group["record"].tolist() for _, group in of_notebook.groupby("conditions", sort=False)]
        for group, told in zip(groups, differences([group[:1] for group in groups])):
            seeds = f"{len(group)} seed{'s' if len(group) > 1 else ''}"
            full = f"{title} ({', '.join(filter(None, (notebook, told, seeds)))})"
            found.append((full, measured_table(group, place, columns), note))
    return found


def measured_table(records: Sequence[Mapping], place: str, columns: Sequence[str]) -> pd.DataFrame:
    """Numbers in records' `measured`, mean ± standard deviation over the records.

    Args:
        place: the entry that holds a row for each network or map; "": the columns are entries, and hold the rows.

    Raises:
        CourseError: a record lacks one of them.
    """
    try:
        tables = [_measured(record["measured"], place, columns).astype(float) for record in records]
        table = pd.concat(tables).groupby(level=0, sort=False).agg(spread)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        of, seed = records[0]["notebook"], records[0]["seed"]
        raise CourseError(
            f"The record of {of} with seed {seed} lacks numbers ({error}); run the notebook again."
        ) from error
    titled = table.rename(columns=lambda name: name.replace("_", " ").replace(".", ", ").replace("iou", "IoU"))
    return titled.rename(index=TITLES).rename_axis("").reset_index()


def _measured(measured: Mapping, place: str, columns: Sequence[str]) -> pd.DataFrame:
    if place:
        return pd.json_normalize(list(measured[place].values())).set_axis(list(measured[place]))[list(columns)]
    if columns[0] in measured:
        return pd.DataFrame({name: measured[name] for name in columns})
    parts = {tuple(name.split(" mean IoU: ")): value for name, value in measured.items() if " mean IoU: " in name}
    return pd.Series(parts).unstack(level=0, sort=False)[list(columns)]


def summary(records: pd.DataFrame, found: Sequence[Finding]) -> str:
    """For a terminal: scores by network, of a single notebook also what it measured, and the claims."""
    parts = []
    if records["notebook"].nunique() == 1:
        parts += [f"{title}\n{aligned(table)}" for title, table, _ in measured_tables(records)]
    for title, group in trained(records).groupby("heading", sort=False):
        parts.append(f"{title}\n{aligned(score_table(group).drop(columns=['mean accuracy', 'f.w. IoU']))}")
    return "\n\n".join([*parts, claims_text(found)])


def spread(values: Iterable[float | None]) -> str:
    """A table's cell: `mean_and_spread`, or a dash where a value is lacking."""
    values = list(values)
    return "–" if any(value is None or value != value for value in values) else mean_and_spread(values)
