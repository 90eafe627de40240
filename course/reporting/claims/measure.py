"""Claims are tests: each published claim the course repeats, measured on a run and on recorded ones."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from core.errors import CourseError
from core.files import ROOT
from core.record import read_record
from course.records.conditions import alike, conditions, differences, weights
from course.records.networks import DATA, WEIGHTS
from course.reporting.claims import cam as claims_cam
from course.reporting.claims import digits as claims_digits
from course.reporting.claims import facades as claims_facades
from course.reporting.claims import residual as claims_residual
from course.reporting.claims import tables as claims_tables
from course.reporting.claims.claim import Claim, Finding, NotMeasured, Results, Row

CLAIMS: tuple[Claim, ...] = (
    *claims_facades.CLAIMS,
    *claims_cam.CLAIMS,
    *claims_residual.CLAIMS,
    *claims_digits.CLAIMS,
    *claims_tables.CLAIMS,
)

RECORDED = ROOT / "files" / "results"
DRAWINGS, PHOTOGRAPHS = "drawings", "photographs"
# The committed run of each; its other seeds are found by their records.
FIRST = {DRAWINGS: "builtin_seed0", PHOTOGRAPHS: "photographs_seed0"}
# What records call data that are no photographs.
DRAWN = {None, "builtin", "built-in shapes", "generated pictures", "builtin digits", "mnist digits"}
T = TypeVar("T")


@dataclass(frozen=True)
class ClaimsTable:
    """Every claim with its verdict on drawings and on photographs.

    Attributes:
        rows: one for each claim.
        materials: what kind of data → which data and weights its column comes from.
    """

    rows: Sequence[Row]
    materials: Mapping[str, str]


def claims_table(
    runs: Sequence[Results], recorded: Mapping[str, Results], claims: Sequence[Claim] = CLAIMS
) -> ClaimsTable:
    """The table of some runs: their findings in the columns of their data, what is recorded in the others.

    Args:
        runs: the records of each run at hand, by notebook; none gives what is recorded alone.
        recorded: the committed runs, by name.

    Raises:
        CourseError: a record lacks what a claim is computed from.
    """
    return ClaimsTable(
        [Row(claim, **{kind: _on(kind, claim, runs, recorded) for kind in FIRST}) for claim in claims],
        {kind: materials(_of_kind(kind, claims, runs, recorded.get(first, {}))) for kind, first in FIRST.items()},
    )


def _on(kind: str, claim: Claim, runs: Sequence[Results], recorded: Mapping[str, Results]) -> list[Finding]:
    """What becomes of a claim on one kind of data: of the runs at hand if they say something, else of the records."""
    of_kind = [run for run in runs if _kind(run[name] for name in claim.notebooks if name in run) == kind]
    groups = alike(of_kind, claim.notebooks)
    named = differences([[group[0][name] for name in claim.notebooks] for group in groups])
    found = [replace(_measure(claim, group, recorded.values()), what=what) for group, what in zip(groups, named)]
    if found := [finding for finding in found if finding.figures]:
        return found
    other = getattr(claim, kind)
    if other is not None:
        found = {f"{run}/{name}": each for run in other.folders for name, each in recorded.get(run, {}).items()}
        figures = _computed(claim, f"files/results/{', '.join(other.folders)}", other.figures, found)
        return [Finding(claim, figures, _judged(claim, figures), figures.keys(), other.what if figures else "")]
    return [_measure(claim, [], [recorded.get(FIRST[kind], {}), *recorded.values()])]


def _of_kind(kind: str, claims: Sequence[Claim], runs: Sequence[Results], first: Results) -> list[dict]:
    """The records on one kind of data that claims rest on: those of the runs, and the committed ones of the others."""
    notebooks = {name for claim in claims for name in claim.notebooks}
    own = [(name, record) for run in runs for name, record in run.items() if _kind([record]) == kind]
    others = notebooks - {name for name, _ in own}
    return [record for name, record in [*own, *((n, r) for n, r in first.items() if n in others)] if name in notebooks]


def _kind(records: Iterable[Mapping]) -> str:
    """What a claim's records are of: drawings (generated pictures, digits), or photographs."""
    names = {(record["data"] or {}).get("name") for record in records}
    return DRAWINGS if names <= DRAWN else PHOTOGRAPHS


def recorded_runs(folder: Path = RECORDED) -> dict[str, Results]:
    """The committed records of earlier runs, `<folder>/<run>/<notebook>.json`, by run and notebook.

    Raises:
        CourseError: a file there is not a record.
    """
    return {
        run.name: {path.stem: read_record(path) for path in sorted(run.glob("*.json"))}
        for run in sorted(folder.glob("*/"))
    }


def measure(run: Results, recorded: Iterable[Results], claims: Sequence[Claim] = CLAIMS) -> list[Finding]:
    """What becomes of each claim in a run, joined by recorded seeds of the same conditions.

    Raises:
        CourseError: a record lacks what a claim is computed from.
    """
    recorded = list(recorded)
    return [_measure(claim, [run], recorded) for claim in claims]


def _measure(claim: Claim, own: Sequence[Results], recorded: Iterable[Results]) -> Finding:
    """A claim's figures by seed from own runs that differ by the seed alone, and from the recorded runs that do so too.

    Each seed counts once, and the first run that has it wins. Without runs at hand, the first recorded one leads.
    """
    figures, from_records, wanted = {}, set(), None
    for number, run in enumerate((*own, *recorded)):
        if not all(name in run for name in claim.notebooks):
            if number == 0:
                break
            continue
        seeds = {run[name]["seed"] for name in claim.notebooks} - {None}
        wanted = wanted or _conditions(claim, run)
        seed = next(iter(seeds), None)
        if len(seeds) > 1 or seed in figures or _conditions(claim, run) != wanted:
            continue
        where = f"{' or '.join(claim.notebooks)} with seed {seed}"
        try:
            figures[seed] = _computed(claim, where, claim.figure, run)
        except NotMeasured:
            continue
        if number >= len(own):
            from_records.add(seed)
    return Finding(claim, figures, _judged(claim, figures), from_records)


def _computed(claim: Claim, where: str, figure: Callable[[Results], T], results: Results) -> T:
    try:
        return figure(results)
    except (KeyError, TypeError, IndexError, ValueError, ZeroDivisionError) as error:
        missing = error if isinstance(error, KeyError) else f"what it needs ({error})"
        raise CourseError(
            f"The claim {claim.name} can't be computed: the record of {where} lacks {missing}; run the notebook again, "
            "or mend the claim."
        ) from error


def _judged(claim: Claim, figures: Mapping[int | None, float]) -> str:
    return claim.judge(list(figures.values())) if figures else "not measured"


def _conditions(claim: Claim, run: Results) -> str:
    return conditions(*(run[name] for name in claim.notebooks))


def materials(records: Iterable[Mapping]) -> str:
    """One line: which data and which weights some results come from."""
    records = list(records)
    data = {(record["data"] or {}).get("name") for record in records} - {None}
    loaded = {weights(record) for record in records} - {None, "none"}
    names = [DATA.get(name, name) for name in sorted(data)]
    names += [WEIGHTS.get(name, name) for name in sorted(loaded)]
    return ", ".join(names) or "no data recorded"
