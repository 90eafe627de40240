"""Every claim with its verdict on drawings and on photographs, from the runs at hand and the committed records."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pandas as pd

from core.errors import CourseError
from core.spread import mean_and_spread
from course.records.comparison import Results, alike, conditions, differences
from course.reporting.claims import cam, digits, facades, residual, tables
from course.reporting.claims.claim import Claim, NotMeasured

CLAIMS: tuple[Claim, ...] = (*facades.CLAIMS, *cam.CLAIMS, *residual.CLAIMS, *digits.CLAIMS, *tables.CLAIMS)
DRAWINGS, PHOTOGRAPHS = "drawings", "photographs"
# The committed run of each; its other seeds are found by their conditions.
FIRST = {DRAWINGS: "builtin_seed0", PHOTOGRAPHS: "photographs_seed0"}
# What records call data that are no photographs.
DRAWN = {None, "builtin", "built-in shapes", "generated pictures", "builtin digits", "mnist digits"}
RULE = """A number with a sign speaks for the claim if it is positive, against it if it is negative. Reproduced: every
seed speaks for it, and the mean is farther from zero than the standard deviation. Refuted: every seed speaks against
it, by the same measure. Not settled: neither. One seed alone agrees or disagrees, and settles nothing. A verdict
belongs to its data and its budget: a difference after few epochs is one of speed."""
T = TypeVar("T")


@dataclass(frozen=True)
class Finding:
    """What became of a claim on one kind of data.

    Attributes:
        claim: the claim.
        kind: "drawings" (also generated pictures and digits) or "photographs".
        figures: ours, by seed (None if the notebooks draw nothing); empty if it wasn't measured.
        recorded: how many of them come from committed records, and not from the runs at hand.
        setting: data and setting, where they are others than the column's.
    """

    claim: Claim
    kind: str
    figures: Mapping[int | None, float]
    recorded: int
    setting: str = ""

    @property
    def verdict(self) -> str:
        """The claim's judge on the figures; "not measured" without any."""
        return self.claim.judge(list(self.figures.values())) if self.figures else "not measured"

    @property
    def from_runs(self) -> bool:
        """Whether the runs at hand say something of it."""
        return self.recorded < len(self.figures)

    @property
    def ours(self) -> str:
        """Mean ± standard deviation over the seeds, and how many there are."""
        if not self.figures:
            return "–"
        text = f"{mean_and_spread(list(self.figures.values()), self.claim.form)} {self.claim.unit}".strip()
        seeds = f"{len(self.figures)} seed{'s' if len(self.figures) > 1 else ''}"
        if self.from_runs and self.recorded:
            seeds += f", {self.recorded} recorded"
        return f"{text} ({seeds})"

    def __str__(self) -> str:
        """Figure and verdict in one cell of a table."""
        if not self.figures:
            return self.verdict
        return f"{self.ours}: {self.verdict}" + (f"; {self.setting}" if self.setting else "")


def findings(
    runs: Sequence[Results], recorded: Mapping[str, Results], claims: Sequence[Claim] = CLAIMS
) -> list[Finding]:
    """What becomes of each claim on each kind of data: by the runs at hand if they say something, else as recorded.

    Args:
        runs: the records of each run at hand, by notebook; none gives what is recorded alone.
        recorded: the committed runs, by name.

    Raises:
        CourseError: a record lacks what a claim is computed from.
    """
    return [found for claim in claims for kind in FIRST for found in _on(kind, claim, runs, recorded)]


def _on(kind: str, claim: Claim, runs: Sequence[Results], recorded: Mapping[str, Results]) -> list[Finding]:
    """The runs at hand in groups that differ by the seed alone, each joined by the recorded seeds of its conditions."""
    own, committed = _alike(kind, claim, runs), _alike(kind, claim, recorded.values())
    settings = differences([[group[0][name] for name in claim.notebooks] for group in own.values()])
    found = [
        Finding(claim, kind, *_by_seed(claim, group, committed.get(same, [])), setting)
        for (same, group), setting in zip(own.items(), settings)
    ]
    if found := [each for each in found if each.figures]:
        return found
    other = getattr(claim, kind)
    if other is not None:
        records = {f"{run}/{name}": each for run in other.folders for name, each in recorded.get(run, {}).items()}
        figures = _computed(claim, f"files/results/{', '.join(other.folders)}", other.figures, records)
        return [Finding(claim, kind, figures, len(figures), other.setting if figures else "")]
    first = recorded.get(FIRST[kind], {})
    same = conditions(*(first[name] for name in claim.notebooks)) if first.keys() >= {*claim.notebooks} else ""
    return [Finding(claim, kind, *_by_seed(claim, [], committed.get(same, [])))]


def _alike(kind: str, claim: Claim, runs: Iterable[Results]) -> dict[str, list[Results]]:
    """Runs on one kind of data, by conditions; those whose notebooks have several seeds carry no claim."""
    usable = []
    for run in runs:
        records = [run[name] for name in claim.notebooks if name in run]
        drawn = {(record["data"] or {}).get("name") for record in records} <= DRAWN
        if drawn == (kind == DRAWINGS) and len({record["seed"] for record in records} - {None}) < 2:
            usable.append(run)
    return alike(usable, claim.notebooks)


def _by_seed(claim: Claim, own: Sequence[Results], recorded: Sequence[Results]) -> tuple[dict[int | None, float], int]:
    """Figures by seed, and how many are recorded; a seed counts once, and the first run that has it wins."""
    figures, from_records = {}, 0
    for number, run in enumerate((*own, *recorded)):
        seed = next((run[name]["seed"] for name in claim.notebooks if run[name]["seed"] is not None), None)
        if seed in figures:
            continue
        try:
            where = f"{' or '.join(claim.notebooks)} with seed {seed}"
            figures[seed] = _computed(claim, where, lambda results: float(claim.figure(results)), run)
        except NotMeasured:
            continue
        from_records += number >= len(own)
    return figures, from_records


def _computed(claim: Claim, where: str, figure: Callable[[Results], T], results: Results) -> T:
    try:
        return figure(results)
    except (KeyError, TypeError, IndexError, ValueError, ZeroDivisionError, AttributeError) as error:
        missing = error if isinstance(error, KeyError) else f"what it needs ({error})"
        raise CourseError(
            f"The claim {claim.name} can't be computed: the record of {where} lacks {missing}; run the notebook again, "
            "or mend the claim."
        ) from error


def claims_table(found: Iterable[Finding], mark: str = "") -> pd.DataFrame:
    """One row a claim, a column for each kind of data.

    Args:
        mark: put behind what comes from committed records alone.
    """
    rows: dict[str, dict[str, str]] = {}
    for each in found:
        claim = each.claim
        row = rows.setdefault(claim.name, {"claim": claim.name, "statement": claim.statement, "source": claim.source})
        row.setdefault("published", claim.published)
        cell = str(each) + (mark if each.figures and not each.from_runs else "")
        row[each.kind] = "; ".join(filter(None, (row.get(each.kind), cell)))
    return pd.DataFrame(rows.values(), columns=["claim", "statement", "source", "published", *FIRST])


def claims_text(found: Sequence[Finding]) -> str:
    """What the runs at hand say of the claims, a line each; of the others, how many there are."""
    own = [each for each in found if each.from_runs]
    rest = len({each.claim.name for each in found} - {each.claim.name for each in own})
    rows = [(each.claim.name, each.kind, each.ours, each.verdict, each.setting) for each in own]
    parts = [aligned(pd.DataFrame(rows, columns=["claim", "on", "ours", "verdict", ""]))] if rows else []
    if rest:
        parts.append(f"Claims that rest on other notebooks: {rest}; docs/claims.md has what is recorded.")
    return "\n".join(parts)


def aligned(table: pd.DataFrame) -> str:
    """The table as text for a terminal."""
    columns = [[str(name), *table[name].astype(str)] for name in table]
    widths = [max(map(len, column)) for column in columns]
    rows = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths)) for row in zip(*columns))
    return "\n".join(row.rstrip() for row in rows)
