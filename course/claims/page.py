"""The claims table in writing: docs/claims.md, and text for a terminal."""

import textwrap

from course.claims.claim import Finding
from course.claims.measure import ClaimsTable, claims_table, recorded_runs

HEAD = """# Claims

<!-- Written by `course claims` from files/results/; a test holds it against the records. Don't edit it. -->

What published sources say, and what the course measured: mean ± standard deviation over the seeds, and the verdict. A
number with a sign speaks for the claim if it is positive, against it if it is negative. *Reproduced*: every seed
speaks for it, and the mean is farther from zero than the standard deviation. *Refuted*: every seed speaks against it,
by the same measure. *Not settled*: neither. One seed alone *agrees* or *disagrees*. A verdict belongs to its data and
its budget: a difference after few epochs is one of speed.

- **Drawings** (and generated pictures), the quick configuration: {drawings}.
- **Photographs**, the preset `photographs` where a cell names nothing else: {photographs}.
"""
WIDTHS = (20, 30, 24, 19, 19)  # of the columns on a terminal; with the gaps 120 together
MARK = "*"  # behind what comes from committed records


def page() -> str:
    """The page as Markdown, from the committed records alone.

    Raises:
        CourseError: a record can't be read, or lacks what a claim needs.
    """
    table = claims_table({}, recorded_runs())
    lines = ["| claim | statement | source | published | drawings | photographs |", "|---|---|---|---|---|---|"]
    for row in table.rows:
        claim, both = row.claim, (row.drawings.told(), row.photographs.told())
        cells = (claim.name, claim.statement, claim.source, claim.published, *both)
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join([HEAD.format(**table.materials), *lines]) + "\n"


def as_text(table: ClaimsTable) -> str:
    """A run's table in at most 120 columns, headed by what each column was measured with."""
    cells = [("claim", "statement", "published", *table.materials)]
    cells += [
        (row.claim.name, row.claim.statement, row.claim.published, marked(row.drawings), marked(row.photographs))
        for row in table.rows
    ]
    head = [f"{kind}: {materials}" for kind, materials in table.materials.items()]
    lines = [
        "Claims: mean ± standard deviation over seeds, and the verdict",
        *(line for text in head for line in textwrap.wrap(text, 120, subsequent_indent="  ")),
        "* from the committed records in files/results/, not from this run",
        "",
    ]
    for row in cells:
        wrapped = [textwrap.wrap(text, width) for text, width in zip(row, WIDTHS)]
        for i in range(max(map(len, wrapped))):
            parts = [(cell[i] if i < len(cell) else "").ljust(width) for cell, width in zip(wrapped, WIDTHS)]
            lines.append("  ".join(parts).rstrip())
        lines.append("-" * 120)
    return "\n".join(lines)


def marked(finding: Finding) -> str:
    """Figure and verdict, with a star if they come from committed records."""
    return finding.told() + (MARK if finding.recorded and finding.figures else "")
