"""Claims are tests: each published claim the course repeats, measured on a run and on recorded ones."""

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.errors import CourseError
from core.files import ROOT
from core.record import read_record
from course.claims import cam as claims_cam
from course.claims import digits as claims_digits
from course.claims import facades as claims_facades
from course.claims import residual as claims_residual
from course.claims import tables as claims_tables
from course.claims.claim import Claim, Finding, NotMeasured, Results
from fcn.data_sets import DATA_SETS

CLAIMS: tuple[Claim, ...] = (
    *claims_facades.CLAIMS,
    *claims_cam.CLAIMS,
    *claims_residual.CLAIMS,
    *claims_digits.CLAIMS,
    *claims_tables.CLAIMS,
)

RECORDED = ROOT / "files" / "results"
_data_names = {name: entry.title for name, entry in DATA_SETS.items()} | {"builtin digits": "built-in digits"}
_weight_names = {"imagenet": "ImageNet weights", "course": "small course weights"}


def recorded_runs(folder: Path = RECORDED) -> list[Results]:
    """The committed records of earlier runs, `<folder>/<run>/<notebook>.json`.

    Raises:
        CourseError: a file there is not a record.
    """
    return [{path.stem: read_record(path) for path in sorted(run.glob("*.json"))} for run in sorted(folder.glob("*/"))]


def measure(run: Results, recorded: Iterable[Results], claims: Sequence[Claim] = CLAIMS) -> list[Finding]:
    """What becomes of each claim in a run.

    A recorded run counts for a claim if it differs from this run, in the notebooks the claim rests on, by
    nothing but the seed. Each seed counts once, this run's first.

    Raises:
        CourseError: a record lacks what a claim is computed from.
    """
    return [_measure(claim, run, list(recorded)) for claim in claims]


def _measure(claim: Claim, run: Results, recorded: list[Results]) -> Finding:
    if not all(notebook in run for notebook in claim.notebooks):
        return Finding(claim, {}, "not run")
    figures = {}
    for results in (run, *recorded):
        seeds = {results[n]["seed"] for n in claim.notebooks if n in results} - {None}
        if len(seeds) > 1 or not all(_comparable(n, run, results) for n in claim.notebooks):
            continue
        try:
            figures.setdefault(next(iter(seeds), None), claim.figure(results))
        except NotMeasured:
            continue
        except (KeyError, TypeError, IndexError, ValueError, ZeroDivisionError) as error:
            raise CourseError(
                f"The claim {claim.name} can't be computed: the record of {' or '.join(claim.notebooks)} with seed "
                f"{next(iter(seeds), None)} lacks {error}; run the notebook again, or mend the claim."
            ) from error
    return Finding(claim, figures, claim.judge(list(figures.values())) if figures else "not run")


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


def table(findings: Sequence[Finding], run: Results) -> str:
    """The findings as aligned text of at most 120 columns, headed by the data and weights they come from."""
    rows = [("claim", "statement", "published", "ours", "verdict")]
    rows += [
        (finding.claim.name, finding.claim.statement, finding.claim.published, finding.own_figure(), finding.verdict)
        for finding in findings
    ]
    widths = (20, 34, 27, 18, 13)
    lines = [f"Claims, measured with: {materials(run)}", "(ours: mean ± standard deviation over seeds)", ""]
    for row in rows:
        cells = [textwrap.wrap(text, width) for text, width in zip(row, widths)]
        for i in range(max(map(len, cells))):
            parts = [(cell[i] if i < len(cell) else "").ljust(width) for cell, width in zip(cells, widths)]
            lines.append("  ".join(parts).rstrip())
        lines.append("-" * (sum(widths) + 2 * (len(widths) - 1)))
    return "\n".join(lines)
