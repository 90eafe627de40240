"""Reading the records of several trainings to hold them beside each other."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import nn

from core.devices import best_device
from core.errors import CourseError
from core.files import ROOT
from core.record import SCORES, read_record
from course.record import load_results
from fcn.models import from_weights

RECORDED = ROOT / "files" / "results"
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


def recorded_scores(patterns: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """The scores in committed records, over the seeds.

    Args:
        patterns: a network's title → its records, one a seed, as a pattern in files/results, such as
            "photographs_seed*/04_fcn8s.json".

    Returns:
        Title → epochs, seeds, and "mean ± standard deviation" by the score's path, such as "validation.mean_iou", for
        each score that all its records have.

    Raises:
        CourseError: a file is not a record, or there is none.
    """
    found = {}
    for title, pattern in patterns.items():
        records = [read_record(path) for path in sorted(RECORDED.glob(pattern))]
        if not records:
            raise CourseError(f"There is no record {pattern} in {RECORDED}; restore files/results from the course.")
        found[title] = {
            "epochs": records[0]["parameters"]["epochs"],
            "seeds": len(records),
            **_spreads(records, ("validation", "test")),
            **_spreads([record["measured"] for record in records], ("test_without_doubtful",)),
        }
    return found


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
