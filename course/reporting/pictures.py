"""What a report shows: the verdicts and the curves as pictures with words, tables, and figures of the runs."""

import base64
import html
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from IPython.display import HTML, display
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from core.plotting import LINE_COLOURS, curves_over_seeds, show, svg
from course.reporting.claims.table import Finding

VERDICTS = ("refuted", "disagrees", "not settled", "agrees", "reproduced")
# A place for the verdict, a shape for the data, filled or not for where it comes from: nothing hangs on colour alone.
KINDS = {"drawings": ("s", LINE_COLOURS[0], 0.22), "photographs": ("o", LINE_COLOURS[1], -0.22)}


def verdicts(found: Sequence[Finding]) -> Figure:
    """A line for each claim and a column for each verdict; what wasn't measured has no mark."""
    names = list(dict.fromkeys(each.claim.name for each in found))
    figure = Figure(figsize=(6.6, 1.2 + 0.3 * len(names)), layout="constrained")  # readable on a telephone
    axis = figure.subplots()
    for place in (0, len(VERDICTS) - 1):  # those that several seeds agree on
        axis.axvspan(place - 0.5, place + 0.5, color="#eeeeee", zorder=0)
    for name in names:
        for kind, (shape, colour, lift) in KINDS.items():
            marks = [each for each in found if (each.claim.name, each.kind) == (name, kind) and each.figures]
            for i, each in enumerate(marks):
                place = VERDICTS.index(each.verdict) + 0.16 * (i - (len(marks) - 1) / 2)
                face = colour if each.from_runs else "white"
                height = lift - names.index(name)
                axis.plot(place, height, shape, markersize=6, markeredgecolor=colour, markerfacecolor=face)
    axis.set_xticks(
        range(len(VERDICTS)), ["refuted", "disagrees\n(1 seed)", "not settled", "agrees\n(1 seed)", "reproduced"]
    )
    axis.set_yticks(range(0, -len(names), -1), names)
    axis.set(xlim=(-0.5, len(VERDICTS) - 0.5), ylim=(0.6 - len(names), 0.6))
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


def show_verdicts(found: Sequence[Finding]) -> None:
    """Displays the verdicts on the claims of which the runs at hand say something."""
    own = {each.claim.name for each in found if each.from_runs}
    shown = [each for each in found if each.claim.name in own]
    if not shown:
        display(HTML("<p>No published claim rests on these notebooks.</p>"))
        return
    words = "; ".join(
        f"{each.claim.name}: {each.verdict} on {each.kind}{'' if each.from_runs else ' (committed records)'}"
        for each in shown
    )
    show_picture(verdicts(shown), f"Verdicts. {words}.")


def show_curves(group: pd.DataFrame) -> None:
    """Displays loss and validation scores by epoch of networks under one heading, if all their seeds have several."""
    networks = {
        name: same["record"].tolist()
        for name, same in group.groupby("network", sort=False)
        if all(len(record["history"] or []) > 1 for record in same["record"])
    }
    if not networks:
        return
    best = {name: records[0]["best_epoch"] for name, records in networks.items() if len(records) == 1}
    histories = {name: [record["history"] for record in records] for name, records in networks.items()}
    show_picture(
        curves_over_seeds(histories, best=best),
        "Training loss, validation mean IoU and validation pixel accuracy by epoch. "
        + "; ".join(f"{name} reaches mean IoU {_reached(several)}" for name, several in histories.items()),
        style="wide",
    )


def _reached(histories: Sequence[Sequence[dict]]) -> str:
    best = [max((entry.get("validation") or {}).get("mean_iou") or 0.0 for entry in history) for history in histories]
    return ", ".join(f"{value:.3f}" for value in best)


def show_picture(figure: Figure, alt: str, style: str = "") -> None:
    """Displays a figure as SVG, which is sharp on every screen, with a text for readers who can't see it."""
    image = f'<img alt="{html.escape(alt)}" src="data:image/svg+xml;base64,{base64.b64encode(svg(figure)).decode()}">'
    display(HTML(f'<div class="scroll {style}" tabindex="0">{image}</div>'))


def show_figure(path: Path, alt: str) -> None:
    """Displays a run's figure with its text, also for readers who can see it."""
    show(path.read_bytes(), alt)
    display(HTML(f"<p>{html.escape(alt)}</p>"))


def show_heading(text: str, level: int = 3) -> None:
    """Displays a heading, with a text that may come from anybody's record."""
    display(HTML(f"<h{level}>{html.escape(text)}</h{level}>"))


def show_table(table: pd.DataFrame, note: str = "", folded: str = "") -> None:
    """Displays a table that scrolls sideways in a narrow window.

    Args:
        folded: the line under which the table is hidden until it is clicked.
    """
    style = "scroll claims" if "claim" in table else "scroll"
    cells = table.to_html(index=False, border=0, justify="left").replace(" ± ", "&nbsp;±&nbsp;")
    text = f'<div class="{style}" tabindex="0">{cells}</div>' + (f"<p>{html.escape(note)}</p>" if note else "")
    display(HTML(f"<details><summary>{html.escape(folded)}</summary>{text}</details>" if folded else text))
