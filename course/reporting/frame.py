"""Records as a pandas frame, one row each, and as results.csv."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from core.files import write_atomically
from core.tables import csv_safe
from course.records.comparison import conditions, weights
from course.reporting.runs import Run

# The network whose history and scores a notebook's record holds.
NETWORKS = {
    "01_facades": "first FCN",
    "02_fcn32s_scratch": "FCN-32s",
    "03_fcn32s_pretrained": "FCN-32s",
    "04_fcn8s": "FCN-8s",
    "09_digit_surgery": "fcn8 of digits, then scenes",
    "10_fcn_backbones": "FCN-32s, VGG-16",
    "11_fcn_skips": "FCN-8s in stages",
    "12_photographs": "FCN-8s, EfficientNet-Lite0",
}
TITLES = {  # of what records hold by a short name
    "builtin": "built-in facades",
    "builtin digits": "built-in digits",
    "cmp": "CMP Facade photographs",
    "voc": "PASCAL VOC",
    "alexnet": "AlexNet",
    "vgg16": "VGG-16",
    "googlenet": "GoogLeNet",
    "efficientnet_lite0": "EfficientNet-Lite0",
    "imagenet": "ImageNet weights",
    "course": "small course weights",
    "none": "from scratch",
}
# What of a record becomes columns.
PARTS = ("command", "seed", "best_epoch", "wall_time", "device", "data", "parameters", "validation", "test", "measured")
# Notebooks whose record says what became of other notebooks' networks: conditions include how those were trained.
BUILT_ON = {"05_compare": ("02_fcn32s_scratch", "03_fcn32s_pretrained", "04_fcn8s")}


def frame(runs: Sequence[Run]) -> pd.DataFrame:
    """One row a record: its numbers and parameters by their place in it, such as "test.mean_iou", and `record` itself.

    `heading` and `network` say in words what it is of; records of equal `conditions` differ by the seed alone.
    """
    rows = []
    for run in runs:
        for name, record in run.results.items():
            if run.folders[name].is_symlink():  # its row is there already
                continue
            under = conditions(
                record, *(run.results[other] for other in BUILT_ON.get(name, ()) if other in run.results)
            )
            rows.append({"run": run.name, "folder": run.folders[name], "notebook": name, "record": record})
            rows[-1] |= {"heading": heading(record), "network": network(record), "conditions": f"{name} {under}"}
    return pd.DataFrame(rows).join(pd.json_normalize([{part: row["record"][part] for part in PARTS} for row in rows]))


def write_csv(records: pd.DataFrame, path: Path) -> None:
    """Writes one row a record: a column for each number and parameter, named by its place; lists are JSON."""
    told = ("parameters.", "validation.", "test.", "measured.", "data.name", "data.sha256")
    own = ["notebook", "folder", "command", "seed", "best_epoch", "wall_time", "device"]
    columns = own + [name for name in records if name.startswith(told) and not name.endswith("iou_per_class")]
    table = records[columns].copy()
    table["folder"] = [Path(os.path.relpath(folder, path.parent)).as_posix() for folder in table["folder"]]
    table = table.map(lambda value: csv_safe(json.dumps(value) if isinstance(value, list | dict) else value))
    with write_atomically(path) as temporary:
        table.convert_dtypes().rename(columns=csv_safe).to_csv(temporary, index=False)


def heading(record: Mapping) -> str:
    """Which data, at which scale and for how many epochs: what has to be alike for a comparison."""
    data, parameters = record["data"] or {}, record["parameters"]
    parts = [TITLES.get(data.get("name"), data.get("name") or "no data recorded")]
    if parameters.get("scale") not in (None, 1.0):
        parts[0] += f" at {parameters['scale']:g} of their sides"
    if parameters.get("epochs") is not None:
        parts.append(f"{parameters['epochs']} epoch{'s' if parameters['epochs'] != 1 else ''}")
    text = ", ".join(parts)
    return text[0].upper() + text[1:]


def network(record: Mapping) -> str:
    """The network, its backbone and what it started from, such as "04 FCN-8s, VGG-16 × 0.125, small course weights"."""
    notebook, parameters = record["notebook"] or "", record["parameters"]
    parts = [f"{notebook[:2]} {parameters.get('network') or NETWORKS.get(notebook, notebook)}".strip()]
    if backbone := parameters.get("backbone"):
        parts.append(TITLES.get(backbone, backbone))
        # EfficientNet-Lite0 has its published width alone.
        if parameters.get("width") not in (None, 1.0) and backbone != "efficientnet_lite0":
            parts[-1] += f" × {parameters['width']:g}"
    if "init" in parameters:
        parts.append("from scratch" if parameters["init"] != "zero" else "all convolutions zero")
    elif (loaded := weights(record)) is not None:
        parts.append(TITLES.get(loaded, loaded))
    return ", ".join(parts)


def origin(record: Mapping) -> pd.DataFrame:
    """How a record was made, and all the single numbers that were measured, a row each."""
    flat = pd.json_normalize({part: record[part] for part in (*PARTS, "packages")}).iloc[0]
    told = flat[[value is not None and not isinstance(value, list) for value in flat]]
    return told.rename_axis("entry").rename("value").reset_index().map(str)
