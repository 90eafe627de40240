"""docs/claims.md: every claim with its verdict, from the committed records alone."""

from collections.abc import Sequence

from core.record import read_record
from course.claims.claim import Finding, Results
from course.claims.measure import RECORDED, materials, measure, recorded_runs

SEED_0 = RECORDED / "builtin_seed0"  # of the quick configuration; the other seeds are found by their records
HEAD = """# Claims

<!-- Written by `course claims` from files/results/; a test holds it against the records. Don't edit it. -->

What published sources say, and what the course measured: mean ± standard deviation over the seeds. A number with a sign
speaks for the claim if it is positive. *Reproduced*: every seed speaks for it, and the mean exceeds the standard
deviation. *Refuted*: the mean is below zero by more than that. A verdict belongs to its data and its budget.

Measured with: {materials}; the quick configuration, on drawings and generated pictures.
"""


def page() -> str:
    """The page as Markdown.

    Raises:
        CourseError: a record can't be read, or lacks what a claim needs.
    """
    run: Results = {path.stem: read_record(path) for path in sorted(SEED_0.glob("*.json"))}
    findings = measure(run, recorded_runs())
    return "\n".join([HEAD.format(materials=materials(run)), *_table(findings)]) + "\n"


def _table(findings: Sequence[Finding]) -> list[str]:
    lines = ["| claim | statement | source | published | ours | verdict |", "|---|---|---|---|---|---|"]
    for finding in findings:
        claim = finding.claim
        cells = (claim.name, claim.statement, claim.source, claim.published, finding.own_figure(), finding.verdict)
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return lines
