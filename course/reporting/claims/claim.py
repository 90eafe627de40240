"""A published claim, and how its figures over several seeds decide it."""

import statistics
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from core.spread import mean_and_spread
from course.records.conditions import Results


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
        what: data and setting, in words.
        figures: records by the paths of their files → our figure by seed.
    """

    folders: tuple[str, ...]
    what: str
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


@dataclass(frozen=True)
class Finding:
    """What became of a claim on one kind of data.

    Attributes:
        claim: which.
        figures: ours, by seed (None if the notebooks draw nothing).
        verdict: from the figures; "not measured" if there are none.
        recorded: the seeds whose figures come from committed records, and not from the runs at hand.
        what: data and setting, where they are others than the column's.
    """

    claim: Claim
    figures: Mapping[int | None, float]
    verdict: str
    recorded: Collection[int | None] = ()
    what: str = ""

    def from_records(self) -> bool:
        """Whether there are figures, and all come from committed records."""
        return bool(self.figures) and len(self.recorded) == len(self.figures)

    def own_figure(self) -> str:
        """Mean ± standard deviation over the seeds, and how many there are; a dash if there are none."""
        if not self.figures:
            return "–"
        text = mean_and_spread(list(self.figures.values()), self.claim.form)
        if self.claim.unit:
            text += f" {self.claim.unit}"
        seeds = f"{len(self.figures)} seed{'s' if len(self.figures) > 1 else ''}"
        if self.recorded and not self.from_records():
            seeds += f", {len(self.recorded)} recorded"
        return f"{text} ({seeds})"

    def told(self) -> str:
        """Figure and verdict in one cell of a table."""
        if not self.figures:
            return self.verdict
        return f"{self.own_figure()}: {self.verdict}" + (f"; {self.what}" if self.what else "")


@dataclass(frozen=True)
class Row:
    """A claim with what became of it on drawings (and generated pictures) and on photographs.

    Each has at least one finding; several where the runs at hand differ in more than the seed.
    """

    claim: Claim
    drawings: Sequence[Finding]
    photographs: Sequence[Finding]

    def from_runs(self) -> bool:
        """Whether the runs at hand say something of it."""
        return any(found.figures and not found.from_records() for found in (*self.drawings, *self.photographs))
