"""Which records may be held beside each other: alike in data, parameters and weights, all but the thing under test."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from core.errors import CourseError
from core.files import ROOT
from core.record import read_record
from course.records.record import load_results

Results = Mapping[str, Mapping]  # the records of one run, by notebook
RECORDED = ROOT / "files" / "results"
# What notebook 05's runs may differ in and still be compared: the thing under test.
UNDER_TEST = ("weights", "init")


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
    names = (first["parameters"].keys() & others[0]["parameters"].keys()) - set(UNDER_TEST)
    differing = [
        name
        for name in sorted(names)
        if any(run["parameters"].get(name) != first["parameters"][name] for run in others)
    ]
    if any(run["data"]["sha256"] != first["data"]["sha256"] for run in others):
        differing.append("data")
    return differing


def weights(record: Mapping) -> str | None:
    """The pretrained weights that were really loaded, which may be others than those asked for."""
    return record["measured"].get("weights", record["parameters"].get("weights"))


def conditions(*records: Mapping) -> str:
    """All that decides some records but the seed, as one text; records of equal conditions differ by the seed alone.

    The data's name may differ: their hash says what they are.
    """
    return json.dumps(
        [
            [
                {name: value for name, value in record["parameters"].items() if name not in ("seed", "data")},
                (record["data"] or {}).get("sha256"),
                weights(record),
            ]
            for record in records
        ],
        sort_keys=True,
    )


def alike(runs: Iterable[Results], notebooks: Sequence[str]) -> dict[str, list[Results]]:
    """The runs that have all of these notebooks, by their conditions: those of a group differ by the seed alone."""
    groups: dict[str, list[Results]] = {}
    for run in runs:
        if all(name in run for name in notebooks):
            groups.setdefault(conditions(*(run[name] for name in notebooks)), []).append(run)
    return groups


def differences(groups: Sequence[Sequence[Mapping]]) -> list[str]:
    """For each of several lists of records, the parameters in which it differs from the others, as "epochs = 3".

    Args:
        groups: the records whose parameters describe each; where several have one, the last one's counts.
    """
    described = [
        {
            name: value
            for record in records
            for name, value in (record["parameters"] | {"weights": weights(record), "data": _data(record)}).items()
            if name != "seed" and value is not None
        }
        for records in groups
    ]
    names = dict.fromkeys(name for each in described for name in each)
    varied = [name for name in names if any(each.get(name) != described[0].get(name) for each in described)]
    return [", ".join(f"{name} = {each[name]}" for name in varied if name in each) for each in described]


def _data(record: Mapping) -> str | None:
    data = record["data"]
    return data and f"{data['name']} {(data.get('sha256') or '')[:8]}".strip()


def recorded(pattern: str) -> list[dict]:
    """The committed records whose path in files/results matches a pattern such as "photographs_seed*/04_fcn8s.json".

    Raises:
        CourseError: a file is not a record, or there is none.
    """
    records = [read_record(path) for path in sorted(RECORDED.glob(pattern))]
    if not records:
        raise CourseError(f"There is no record {pattern} in {RECORDED}; restore files/results from the course.")
    return records


def recorded_runs(folder: Path = RECORDED) -> dict[str, Results]:
    """The committed records, `<folder>/<run>/<notebook>.json`, by run and notebook.

    Raises:
        CourseError: a file there is not a record.
    """
    return {
        run.name: {path.stem: read_record(path) for path in sorted(run.glob("*.json"))}
        for run in sorted(folder.glob("*/"))
    }
