"""Claims are tests: each published claim the course repeats, measured on a run and on recorded ones."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from core.errors import CourseError
from core.files import ROOT
from core.record import read_record
from course.claims import cam as claims_cam
from course.claims import digits as claims_digits
from course.claims import facades as claims_facades
from course.claims import residual as claims_residual
from course.claims import tables as claims_tables
from course.claims.claim import Claim, Finding, NotMeasured, Results, Row
from fcn.data_sets import DATA_SETS

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
_data_names = {name: entry.title for name, entry in DATA_SETS.items()} | {"builtin digits": "built-in digits"}
_weight_names = {"imagenet": "ImageNet weights", "course": "small course weights"}
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


def claims_table(run: Results, recorded: Mapping[str, Results], claims: Sequence[Claim] = CLAIMS) -> ClaimsTable:
    """The table of a run: its findings in the columns of its data, what is recorded in the others.

    Args:
        run: the records of the run at hand, by notebook; none gives what is recorded alone.
        recorded: the committed runs, by name.

    Raises:
        CourseError: a record lacks what a claim is computed from.
    """
    return ClaimsTable(
        [Row(claim, **{kind: _on(kind, claim, run, recorded) for kind in FIRST}) for claim in claims],
        {
            kind: materials(recorded.get(first, {}) | {n: r for n, r in run.items() if _kind([r]) == kind})
            for kind, first in FIRST.items()
        },
    )


def _on(kind: str, claim: Claim, run: Results, recorded: Mapping[str, Results]) -> Finding:
    if all(notebook in run for notebook in claim.notebooks) and _kind(run[n] for n in claim.notebooks) == kind:
        finding = _measure(claim, run, recorded.values())
        if finding.figures:
            return finding
    if kind == PHOTOGRAPHS and claim.photographs is not None:
        folder = claim.photographs.folder
        finding = _judged(claim, _computed(claim, folder, claim.photographs.figures, recorded.get(folder, {})))
        finding = replace(finding, what=claim.photographs.what)
    else:
        finding = _measure(claim, recorded.get(FIRST[kind], {}), recorded.values())
    return replace(finding, recorded=True)


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
    """What becomes of each claim in a run.

    A recorded run counts for a claim if it differs from this run, in the notebooks the claim rests on, by
    nothing but the seed. Each seed counts once, this run's first.

    Raises:
        CourseError: a record lacks what a claim is computed from.
    """
    recorded = list(recorded)
    return [_measure(claim, run, recorded) for claim in claims]


def _measure(claim: Claim, run: Results, recorded: Collection[Results]) -> Finding:
    figures = {}
    if all(notebook in run for notebook in claim.notebooks):
        for results in (run, *recorded):
            seeds = {results[n]["seed"] for n in claim.notebooks if n in results} - {None}
            if len(seeds) > 1 or not all(_comparable(n, run, results) for n in claim.notebooks):
                continue
            seed = next(iter(seeds), None)
            where = f"{' or '.join(claim.notebooks)} with seed {seed}"
            try:
                figures.setdefault(seed, _computed(claim, where, claim.figure, results))
            except NotMeasured:
                continue
    return _judged(claim, figures)


def _computed(claim: Claim, where: str, figure: Callable[[Results], T], results: Results) -> T:
    try:
        return figure(results)
    except (KeyError, TypeError, IndexError, ValueError, ZeroDivisionError) as error:
        raise CourseError(
            f"The claim {claim.name} can't be computed: the record of {where} lacks {error}; run the notebook again, "
            "or mend the claim."
        ) from error


def _judged(claim: Claim, figures: Mapping[int | None, float]) -> Finding:
    return Finding(claim, figures, claim.judge(list(figures.values())) if figures else "not measured")


def _comparable(notebook: str, run: Results, other: Results) -> bool:
    return notebook in other and _conditions(run[notebook]) == _conditions(other[notebook])


def _conditions(record: dict) -> tuple[dict, str | None, str | None]:
    """All that decides a record but the seed. The data's name may differ: its hash says what it is."""
    parameters = {name: value for name, value in record["parameters"].items() if name not in ("seed", "data")}
    return parameters, (record["data"] or {}).get("sha256"), _weights(record)


def _weights(record: dict) -> str | None:
    """The pretrained weights that were really loaded, which may be others than those asked for."""
    return record["measured"].get("weights", record["parameters"].get("weights"))


def materials(run: Results) -> str:
    """One line: which data and which weights the run's results come from."""
    data = {(record["data"] or {}).get("name") for record in run.values()} - {None}
    weights = {_weights(record) for record in run.values()} - {None, "none"}
    names = [_data_names.get(name, name) for name in sorted(data)]
    names += [_weight_names.get(name, name) for name in sorted(weights)]
    return ", ".join(names) or "no data recorded"
