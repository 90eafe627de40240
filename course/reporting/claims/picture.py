"""The verdicts of a claims table in one picture, and in words for readers who can't see it."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from core.plotting import LINE_COLOURS
from course.reporting.claims.claim import Finding, Row

VERDICTS = ("refuted", "disagrees", "not settled", "agrees", "reproduced")
# A place for the verdict, a shape for the data, filled or not for where it comes from: nothing hangs on colour alone.
KINDS = {"drawings": ("s", LINE_COLOURS[0], 0.22), "photographs": ("o", LINE_COLOURS[1], -0.22)}


def verdicts_picture(rows: Sequence[Row]) -> Figure:
    """A line for each claim and a column for each verdict; what wasn't measured has no mark."""
    figure = Figure(figsize=(6.6, 1.2 + 0.3 * len(rows)), layout="constrained")  # its words can be read on a telephone
    axis = figure.subplots()
    for place in (0, len(VERDICTS) - 1):  # those that several seeds agree on
        axis.axvspan(place - 0.5, place + 0.5, color="#eeeeee", zorder=0)
    for number, row in enumerate(rows):
        for kind, (shape, colour, lift) in KINDS.items():
            found = [finding for finding in getattr(row, kind) if finding.figures]
            for i, finding in enumerate(found):
                place = VERDICTS.index(finding.verdict) + 0.16 * (i - (len(found) - 1) / 2)
                face = "white" if finding.from_records() else colour
                axis.plot(place, -number + lift, shape, markersize=6, markeredgecolor=colour, markerfacecolor=face)
    axis.set_xticks(
        range(len(VERDICTS)), ["refuted", "disagrees\n(1 seed)", "not settled", "agrees\n(1 seed)", "reproduced"]
    )
    axis.set_yticks(range(0, -len(rows), -1), [row.claim.name for row in rows])
    axis.set(xlim=(-0.5, len(VERDICTS) - 0.5), ylim=(0.6 - len(rows), 0.6))
    axis.tick_params(length=0, top=True, bottom=False, labeltop=True, labelbottom=False)
    axis.grid(axis="y", alpha=0.3)
    axis.spines[:].set_visible(False)
    handles = [
        Line2D([], [], linestyle="none", marker=shape, color=colour, markerfacecolor=face, label=f"{kind}{where}")
        for kind, (shape, colour, _) in KINDS.items()
        for face, where in ((colour, ""), ("white", ", committed records"))
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def verdicts_in_words(rows: Sequence[Row]) -> str:
    """The picture's text alternative: every claim with its verdicts."""
    return "Verdicts. " + "; ".join(
        f"{row.claim.name}: {', '.join(_in_words(kind, finding) for kind in KINDS for finding in getattr(row, kind))}"
        for row in rows
    )


def _in_words(kind: str, finding: Finding) -> str:
    return f"{finding.verdict} on {kind}" + (" (committed records)" if finding.from_records() else "")
