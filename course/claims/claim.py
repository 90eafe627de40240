"""A published claim, and how its figures over several seeds decide it."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Results = Mapping[str, Mapping]  # the records of one run, by notebook


class NotMeasured(Exception):
    """The run left out what a claim needs, because its parameters asked for that."""


def in_favour(figures: Sequence[float]) -> str:
    """The verdict where a positive figure speaks for the claim.

    Reproduced: every seed's figure is positive, and their mean exceeds their standard deviation. Refuted: the
    mean is negative by more than the standard deviation. One seed alone settles nothing.
    """
    if len(figures) == 1:
        return f"{'agrees' if figures[0] > 0 else 'disagrees'} (1 seed)"
    mean, spread = statistics.mean(figures), statistics.stdev(figures)
    if min(figures) > 0 and mean > spread:
        return "reproduced"
    return "refuted" if mean < -spread else "not settled"


def differ(figures: Sequence[float]) -> str:
    """The verdict where a figure other than zero, of either sign, speaks for the claim.

    Reproduced: the mean is farther from zero than one standard deviation.
    """
    if len(figures) == 1:
        return "not settled (1 seed)"
    return "reproduced" if abs(statistics.mean(figures)) > statistics.stdev(figures) else "not settled"


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


@dataclass(frozen=True)
class Finding:
    """What became of a claim: our figures by seed (None if the notebooks draw nothing), and the verdict."""

    claim: Claim
    figures: Mapping[int | None, float]
    verdict: str

    def own_figure(self) -> str:
        """Mean ± standard deviation over the seeds, and how many there are; a dash if there are none."""
        if not self.figures:
            return "–"
        form, values = self.claim.form, list(self.figures.values())
        text = format(statistics.mean(values), form)
        if len(values) > 1:
            text += f" ± {format(statistics.stdev(values), form.lstrip('+'))}"
        if self.claim.unit:
            text += f" {self.claim.unit}"
        return f"{text} ({len(values)} seed{'s' if len(values) > 1 else ''})"
