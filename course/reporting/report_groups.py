"""Runs that can be compared: who stands beside whom in a report, and the tables of their scores."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.spread import mean_and_spread
from course.records.conditions import Results, alike, differences
from course.records.networks import DATA, network

SCORES = {
    "pixel_accuracy": "pixel accuracy",
    "mean_accuracy": "mean accuracy",
    "mean_iou": "mean IoU",
    "frequency_weighted_iou": "f.w. IoU",
}


@dataclass(frozen=True)
class Table:
    """Text to be shown: the first column names the row.

    Attributes:
        texts: how many columns hold words; the others hold numbers.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    texts: int = 1


@dataclass(frozen=True)
class Group:
    """Networks that can be compared: same data, epochs and scale.

    Attributes:
        title: which data, how many epochs, at which scale.
        networks: name → its records, one a seed.
        notebooks: name → the notebook that they are of.
    """

    title: str
    networks: Mapping[str, Sequence[Mapping]]
    notebooks: Mapping[str, str]


def one_a_seed(runs: Sequence[Results], notebook: str) -> list[Mapping]:
    """The records of a notebook in runs that differ by the seed alone; a seed counts once, the first run's."""
    return list({run[notebook]["seed"]: run[notebook] for run in reversed(runs)}.values())[::-1]


def comparable_groups(runs: Sequence[Results]) -> list[Group]:
    """The networks that some runs trained or scored, by what has to be alike for a comparison."""
    found: dict[tuple, dict[str, list[list[Mapping]]]] = {}
    for notebook in sorted({name for run in runs for name in run}):
        for group in alike(runs, [notebook]):
            records = one_a_seed(group, notebook)
            first = records[0]
            if any((first[part] or {}).get("mean_iou") is not None for part in ("validation", "test")):
                data, parameters = first["data"] or {}, first["parameters"]
                key = (data.get("sha256"), data.get("name"), parameters.get("epochs"), parameters.get("scale"))
                found.setdefault(key, {}).setdefault(notebook, []).append(records)
    groups = []
    for (_, data, epochs, scale), by_notebook in found.items():
        title = DATA.get(data, data) or "no data recorded"
        title += f" at {scale:g} of their sides" if scale not in (None, 1.0) else ""
        title += f", {epochs} epoch{'s' if epochs != 1 else ''}" if epochs is not None else ""
        networks, notebooks = {}, {}
        for notebook, several in by_notebook.items():
            for records, varied in zip(several, differences([records[:1] for records in several])):
                name = f"{notebook[:2]} {network(records[0])}" + (f"; {varied}" if varied else "")
                networks[name], notebooks[name] = records, notebook
        groups.append(Group(title[0].upper() + title[1:], networks, notebooks))
    return groups


def score_table(group: Group) -> Table:
    """Scores of the kept epoch; one row a network and set."""
    rows = [
        [name, group.notebooks[name], part, str(len(records))]
        + [spread([(record[part] or {}).get(score) for record in records]) for score in SCORES]
        for name, records in group.networks.items()
        for part in ("validation", "test")
        if records[0][part]
    ]
    return Table(group.title, ["network", "notebook", "set", "seeds", *SCORES.values()], rows, texts=3)


def class_tables(group: Group) -> list[Table]:
    """IoU by class on the test set, a table for all networks that have the same classes."""
    by_classes: dict[tuple, dict[str, list[list]]] = {}
    for name, records in group.networks.items():
        scores = [(record["test"] or {}).get("iou_per_class") for record in records]
        if all(scores):
            numbered = [f"class {number}" for number in range(len(scores[0]))]
            classes = (records[0]["data"] or {}).get("classes") or numbered
            by_classes.setdefault(tuple(classes), {})[name] = scores
    return [
        Table(
            "IoU by class, test set",
            ["class", *columns],
            [
                [name, *(spread([seed[number] for seed in scores]) for scores in columns.values())]
                for number, name in enumerate(classes)
            ],
            "A dash: the class occurs neither in the labels nor in the predictions.",
        )
        for classes, columns in by_classes.items()
    ]


def spread(values: Iterable[float | None], form: str = ".3f") -> str:
    """A table's cell: `mean_and_spread`, or a dash where a value is lacking."""
    values = list(values)
    return "–" if None in values else mean_and_spread(values, form)
