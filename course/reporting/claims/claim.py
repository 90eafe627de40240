"""A published claim, and how its figures over several seeds decide it."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from course.records.comparison import Results


class NotMeasured(Exception):
    """The run left out what a claim needs, because its parameters asked for that."""


def in_favour(figures: Sequence[float]) -> str:
    """The verdict where a positive figure speaks for the claim and a negative one against it.

    Reproduced: every seed's figure is positive, and their mean is farther from zero than their standard deviation.
    Refuted: the mirror image. One seed alone settles nothing; it agrees or disagrees.
    """
    mean = statistics.mean(figures)
    agreed = all(figure > 0 for figure in figures) or all(figure < 0 for figure in figures)
    if len(figures) == 1:
        return "not settled" if mean == 0 else "agrees" if mean > 0 else "disagrees"
    if not agreed or abs(mean) <= statistics.stdev(figures):
        return "not settled"
    return "reproduced" if mean > 0 else "refuted"


def above(threshold: float) -> Callable[[Sequence[float]], str]:
    """The judge of a figure that speaks for the claim where it exceeds a threshold, and else against it."""
    return lambda figures: in_favour([figure - threshold for figure in figures])


@dataclass(frozen=True)
class OtherRecords:
    """Committed records that carry a claim where those of its own notebooks can't.

    Attributes:
        folders: the records', in files/results/.
        setting: data, network and budget, in words.
        figures: records by the paths of their files → our figure by seed.
    """

    folders: tuple[str, ...]
    setting: str
    figures: Callable[[Results], Mapping[int, float]]


@dataclass(frozen=True)
class Claim:
    """One published claim.

    Attributes:
        name: its short name, unique.
        statement: what is claimed.
        source: where.
        published: the published figure, in words.
        notebooks: those whose records it rests on.
        figure: our figure from one seed's records of these notebooks.
        judge: the verdict from the figures, one per seed, at least one.
        form: format of a figure, as in "+.3f".
        unit: what stands behind the figure.
        drawings, photographs: records other than these notebooks', where theirs can't carry it.
    """

    name: str
    statement: str
    source: str
    published: str
    notebooks: tuple[str, ...]
    figure: Callable[[Results], float]
    judge: Callable[[Sequence[float]], str] = in_favour
    form: str = "+.3f"
    unit: str = ""
    drawings: OtherRecords | None = None
    photographs: OtherRecords | None = None
