"""Reading the records of several trainings to hold them beside each other."""

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from core.devices import best_device
from core.errors import CourseError
from course.records.record import load_results
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
