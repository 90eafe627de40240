"""The claims table in writing: docs/claims.md, and text for a terminal."""

import textwrap

from course.reporting.claims.claim import Finding
from course.reporting.claims.measure import ClaimsTable, claims_table, recorded_runs

RULE = """A number with a sign speaks for the claim if it is positive, against it if it is negative. Reproduced: every
seed speaks for it, and the mean is farther from zero than the standard deviation. Refuted: every seed speaks against
it, by the same measure. Not settled: neither. One seed alone agrees or disagrees, and settles nothing. A verdict
belongs to its data and its budget: a difference after few epochs is one of speed."""
HEAD = f"""# Claims

<!-- Written by `course claims` from files/results/; a test holds it against the records. Don't edit it. -->

What published sources say, and what the course measured: mean ± standard deviation over the seeds, and the verdict.
{RULE}

- **Drawings** (and generated pictures), the quick configuration: {{drawings}}.
- **Photographs**, the preset `photographs` where a cell names nothing else: {{photographs}}.
"""
WIDTHS = (20, 30, 24, 19, 19)  # of the columns on a terminal; with the gaps 120 together
MARK = "*"  # behind what comes from committed records


def page() -> str:
    """The page as Markdown, from the committed records alone.

    Raises:
        CourseError: a record can't be read, or lacks what a claim needs.
    """
    table = claims_table([], recorded_runs())
    lines = ["| claim | statement | source | published | drawings | photographs |", "|---|---|---|---|---|---|"]
    for row in table.rows:
        claim = row.claim
        cells = [claim.name, claim.statement, claim.source, claim.published]
        cells += ["; ".join(finding.told() for finding in findings) for findings in (row.drawings, row.photographs)]
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join([HEAD.format(**table.materials), *lines]) + "\n"


def as_text(table: ClaimsTable) -> str:
    """What some runs say of the claims, in at most 120 columns; of the others, how many there are."""
    rows = [row for row in table.rows if row.from_runs()]
    rest = f"Claims that rest on other notebooks: {len(table.rows) - len(rows)}; docs/claims.md has what is recorded."
    if not rows:
        return rest
    cells = [[["claim"], ["statement"], ["published"], *([kind] for kind in table.materials)]]
    cells += [
        [
            [row.claim.name],
            [row.claim.statement],
            [row.claim.published],
            *([marked(finding) for finding in findings] for findings in (row.drawings, row.photographs)),
        ]
        for row in rows
    ]
    head = [f"{kind}: {materials}" for kind, materials in table.materials.items()]
    lines = [
        "Claims: mean ± standard deviation over seeds, and the verdict",
        *(line for text in head for line in textwrap.wrap(text, 120, subsequent_indent="  ")),
        "* from the committed records in files/results/, not from these runs",
        "",
    ]
    for row in cells:
        wrapped = [[line for text in texts for line in textwrap.wrap(text, width)] for texts, width in zip(row, WIDTHS)]
        for i in range(max(map(len, wrapped))):
            parts = [(cell[i] if i < len(cell) else "").ljust(width) for cell, width in zip(wrapped, WIDTHS)]
            lines.append("  ".join(parts).rstrip())
        lines.append("-" * 120)
    return "\n".join([*lines, rest] if len(rows) < len(table.rows) else lines)


def marked(finding: Finding) -> str:
    """Figure and verdict, with a star if they come from committed records."""
    return finding.told() + (MARK if finding.from_records() else "")
