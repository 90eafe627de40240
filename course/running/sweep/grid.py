"""The values that a sweep gives its parameters, and what a combination of them is called."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from core.errors import CourseError
from course.records.record import NOT_RECORDED

MOST = 100_000  # values of a range
NOTHING = "shared"  # the folder of what none of the parameters concerns

Combination = tuple[tuple[str, str], ...]  # names and values as texts, as `parameters.resolve` takes them


def values(name: str, text: str) -> list[str]:
    """The values of a parameter, as texts: "0..4", both ends included, and "1e-3,3e-3" can be mixed.

    A comma within brackets separates no values, so that lists can be given: "[20],[20,35]".

    Raises:
        CourseError: a range can't be read, or a value is missing or given twice.
    """
    found: list[str] = []
    for part in re.split(r",(?![^\[{]*[\]}])", text):
        # Dots with a slash are a path, such as ../photographs.
        found += _range(name, part) if ".." in part and not re.search(r"[/\\]", part) else [part.strip()]
    if "" in found and len(found) > 1:
        raise CourseError(f'A value is missing in "{text}" for {name}; give such as 1,2,3 without gaps.')
    if len(set(found)) < len(found):
        twice = next(value for value in found if found.count(value) > 1)
        raise CourseError(f"{name} is to be {twice} twice; give each value once.")
    return found


def _range(name: str, text: str) -> list[str]:
    ends = re.fullmatch(r"\s*(-?\d+)\.\.(-?\d+)\s*", text)
    first, last = map(int, ends.groups()) if ends else (1, 0)
    if first > last:
        raise CourseError(
            f'The range "{text}" for {name} can\'t be read; give two whole numbers, the smaller one first, as in 0..4.'
        )
    if last - first >= MOST:
        raise CourseError(f'The range "{text}" for {name} has more than {MOST:,} values; give a smaller one.')
    return list(map(str, range(first, last + 1)))


def combinations(grid: Mapping[str, Sequence[str]], names: Sequence[str]) -> Iterator[Combination]:
    """Every combination of the values of those parameters, the last one changing fastest."""
    for chosen in product(*(grid[name] for name in names)):
        yield tuple(zip(names, chosen))


def folder_name(values: Mapping[str, object]) -> str:
    """What a combination's folder is called, such as "seed=0,learning_rate=0.001".

    Args:
        values: the parameters' typed values; of a path, the last part is taken.

    Raises:
        CourseError: it would be too long.
    """
    parts = [f"{name}={_shown(value)}" for name, value in values.items() if name not in NOT_RECORDED]
    name = ",".join(parts) or NOTHING
    if len(name.encode()) > 200:
        raise CourseError(f"A folder would have to be called {name[:60]}…, which is too long; sweep fewer parameters.")
    return name


def _shown(value: object) -> str:
    text = Path(value).name if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return re.sub(r"[^\w.+\-\[\],]", "_", text)
