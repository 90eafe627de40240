"""Reading the records of several trainings to hold them beside each other."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import nn

from core.devices import best_device
from core.errors import CourseError
from core.record import SCORES, read_record
from course.record import load_results
from fcn.models import from_weights

# What two runs may differ in and still be compared: the thing under test.
_UNDER_TEST = ("weights", "init")


def load_runs(out: str | Path, names: Mapping[str, str]) -> dict[str, dict]:
    """The records of the named notebooks, by title.

    Args:
        out: the run's folder.
        names: notebook → title.

    Raises:
        CourseError: one of them has not been run into this folder, or its record can't be compared.
    """
    records = load_results(out)
    missing = [name for name in names if name not in records]
    if missing:
        raise CourseError(
            f"{Path(out).name} holds no results of {', '.join(missing)}; run "
            f"{'these notebooks' if len(missing) > 1 else 'this notebook'} first."
        )
    for name in names:
        if records[name]["notebook"] != name or not (records[name]["data"] or {}).get("sha256"):
            raise CourseError(
                f"The record of {name} in {out} doesn't say that it is of {name} and its data; run it again."
            )
    return {title: records[name] for name, title in names.items()}


def comparable(runs: Mapping[str, Mapping]) -> list[str]:
    """What the runs differ in besides the thing under test: parameters and data; empty if they can be compared."""
    first, *others = runs.values()
    names = (first["parameters"].keys() & others[0]["parameters"].keys()) - set(_UNDER_TEST)
    differing = [
        name
        for name in sorted(names)
        if any(run["parameters"].get(name) != first["parameters"][name] for run in others)
    ]
    if any(run["data"]["sha256"] != first["data"]["sha256"] for run in others):
        differing.append("data")
    return differing


def best_model(run: Mapping, out: str | Path) -> nn.Module:
    """The network of a record with the weights of its best epoch."""
    return from_weights(Path(out) / run["notebook"] / "best.safetensors").to(best_device())


def recorded_scores(folder: str | Path) -> dict[str, dict[str, object]]:
    """What the records of `course train` in a folder say, those that differ by their seed alone together.

    Returns:
        A network's title → epochs, seeds, and "mean ± standard deviation" by the score's path, such as
        "validation.mean_iou", for each score that all its records have.

    Raises:
        CourseError: a file there is not a record.
    """
    groups: dict[str, list[dict]] = {}
    for path in sorted(Path(folder).glob("*.json")):
        record = read_record(path)
        parameters = record["parameters"]
        start = {"imagenet": "ImageNet's weights", "course": "course weights", "none": "from scratch"}
        title = f"{parameters['network'].replace('FCN', 'FCN-')} on {parameters['backbone']}, "
        groups.setdefault(title + start[parameters["weights"]], []).append(record)
    return {
        title: {
            "epochs": records[0]["parameters"]["epochs"],
            "seeds": len(records),
            **_spreads(records, ("validation", "test")),
            **_spreads([record["measured"] for record in records], ("test_without_doubtful",)),
        }
        for title, records in groups.items()
    }


def _spreads(records: Sequence[Mapping], parts: Sequence[str]) -> dict[str, str]:
    found = {}
    for part in parts:
        for name in SCORES:
            values = [(record.get(part) or {}).get(name) for record in records]
            if None not in values:
                found[f"{part}.{name}"] = f"{statistics.mean(values):.3f}" + (
                    f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
                )
    return found
