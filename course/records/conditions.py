"""When two records may be held beside each other: what was asked for and what it was made with, all but the seed."""

import json
from collections.abc import Iterable, Mapping, Sequence

Results = Mapping[str, Mapping]  # the records of one run, by notebook


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


def alike(runs: Iterable[Results], notebooks: Sequence[str]) -> list[list[Results]]:
    """Those of some runs that have all of these notebooks, in groups whose records of them differ by the seed alone."""
    groups: dict[str, list[Results]] = {}
    for run in runs:
        if all(name in run for name in notebooks):
            groups.setdefault(conditions(*(run[name] for name in notebooks)), []).append(run)
    return list(groups.values())


def differences(groups: Sequence[Sequence[Mapping]]) -> list[str]:
    """For each of several lists of records, in which parameters it differs from the others, such as "epochs = 3".

    Args:
        groups: for each the records whose parameters describe it; where several have one, the last one's counts.
    """
    described = [
        {
            name: value
            for record in records
            for name, value in (record["parameters"] | {"weights": weights(record)}).items()
            if name not in ("seed", "data")
        }
        | {"data": [(record["data"] or {}).get("sha256") for record in records]}
        for records in groups
    ]
    names = dict.fromkeys(name for each in described for name in each)
    varied = [name for name in names if any(each.get(name) != described[0].get(name) for each in described)]
    told = [{name: value for name, value in each.items() if name in varied} for each in described]
    for each, records in zip(told, groups):
        if "data" in varied:
            data = next((record["data"] for record in records if record["data"]), {"name": "none"})
            each["data"] = f"{data['name']} {(data.get('sha256') or '')[:8]}".strip()
    return [", ".join(f"{name} = {json.dumps(value).strip(chr(34))}" for name, value in each.items()) for each in told]
