"""docs/results.md and docs/claims.md, written from templates and the committed records: `course pages`."""

import functools
import operator
import re
import statistics
from collections.abc import Sequence
from pathlib import Path

import jinja2

from core.spread import mean_and_spread
from course.records.comparison import recorded, recorded_runs
from course.records.scoring import recorded_scores
from course.reporting.claims.table import RULE, claims_table, findings

TEMPLATES = Path(__file__).with_name("templates")
PAGES = ("claims.md", "results.md")


def page(name: str) -> str:
    """One of PAGES as Markdown.

    Raises:
        CourseError: a record can't be read, or lacks what a claim needs.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "each": each,
        "mean": statistics.mean,
        "minus": minus,
        "spread": mean_and_spread,
        "times": times,
    }
    environment.globals |= {"values": values, "commands": commands}
    if name == "claims.md":
        rows = claims_table(findings([], recorded_runs())).itertuples(index=False)
        return environment.get_template(name).render(rule=RULE, rows=rows)
    return environment.get_template(name).render(photographs=recorded_scores())


def values(pattern: str, place: str) -> list[float]:
    """The numbers at a place such as "test/mean_iou" in the records that match a pattern, one a seed."""
    return [functools.reduce(operator.getitem, place.split("/"), record) for record in recorded(f"{pattern}.json")]


def times(numbers: Sequence[float], factor: float) -> list[float]:
    """All of them by a factor, 100 for per cent."""
    return [factor * number for number in numbers]


def minus(numbers: Sequence[float], others: Sequence[float]) -> list[float]:
    """Differences, seed by seed."""
    return [number - other for number, other in zip(numbers, others, strict=True)]


def each(numbers: Sequence[float], form: str = ".3f") -> str:
    """The numbers one by one."""
    return ", ".join(format(number, form) for number in numbers)


def commands(*patterns: str) -> str:
    """A list of records with the commands that made them; N stands for a seed."""
    made: dict[tuple[str, ...], list[str]] = {}
    for pattern in patterns:
        told = [
            re.sub(rf"(seeds? ?|_){record['seed']}\b", r"\1N", record["command"])
            for record in recorded(f"{pattern}.json")
        ]
        made.setdefault(tuple(dict.fromkeys(told)), []).append(f"`files/results/{pattern}.json`")
    return "\n".join(
        f"- {', '.join(records)}: {'; '.join(f'`{each}`' for each in told)}" for told, records in made.items()
    )
