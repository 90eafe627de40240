"""One self-contained page about some runs, made from their records and the figures they name, nothing else."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from core.errors import CourseError
from core.files import write_atomically
from core.plotting import curves_over_seeds, svg
from course.records.runs import Run, find_runs, write_table
from course.reporting.claims.measure import ClaimsTable, claims_table, materials, recorded_runs
from course.reporting.claims.page import RULE, as_text, marked
from course.reporting.claims.picture import verdicts_in_words, verdicts_picture
from course.reporting.report_groups import Group, Table, class_tables, comparable_groups, score_table
from course.reporting.report_tables import notebook_tables, recorded_localisation

LOCALISATION = "voc2007_cam"  # the committed records of maps on photographs, beside which 06 and 07 are read


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes:
        page: report.html.
        table: results.csv.
        text: what came out, for a terminal.
    """

    page: Path
    table: Path
    text: str


def write_report(*folders: str | Path) -> Report:
    """Writes `report.html` and `results.csv` into the first folder.

    Args:
        folders: each a run's, or one that holds runs' folders.

    Raises:
        CourseError: a folder holds no record, or one that can't be read, or the first can't be written to.
    """
    runs = find_runs(folders)
    out = Path(folders[0]).resolve()
    recorded = recorded_runs()
    results = [run.results for run in runs]
    claims, groups, tables = claims_table(results, recorded), comparable_groups(results), notebook_tables(results)
    text = "\n".join([*_lines(groups), "", as_text(claims)])
    if len({name for run in runs for name in run.results}) == 1:
        text = "\n\n".join([*map(_aligned, tables), text])
    if any(name in run.results for run in runs for name in ("06_cam", "07_gradcam")) and LOCALISATION in recorded:
        tables.append(recorded_localisation(recorded[LOCALISATION]))
    with write_atomically(out / "report.html") as path:
        path.write_text(page(f"Report of {out.name}", runs, claims, groups, tables), encoding="utf-8")
    write_table(runs, out / "results.csv")
    return Report(out / "report.html", out / "results.csv", text)


def page(title: str, runs: Sequence[Run], claims: ClaimsTable, groups: Sequence[Group], tables: Sequence[Table]) -> str:
    """The page's HTML, in which nothing is loaded from elsewhere."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    own = [row for row in claims.rows if row.from_runs()]
    return environment.get_template("report.html").render(
        title=title,
        materials=materials(record for run in runs for record in run.results.values()),
        runs=[run.name for run in runs],
        verdicts=own and _picture(svg(verdicts_picture(own)), verdicts_in_words(own)),
        claims={"own": own, "recorded": [row for row in claims.rows if row not in own]},
        claim_materials=claims.materials,
        rule=RULE,
        marked=marked,
        groups=[
            {"curves": _curves(group), "scores": score_table(group), "classes": class_tables(group)} for group in groups
        ],
        tables=tables,
        notebooks=[_notebook(name, runs) for name in sorted({name for run in runs for name in run.results})],
    )


def _curves(group: Group) -> dict[str, str] | None:
    histories = {
        name: [record["history"] for record in records]
        for name, records in group.networks.items()
        if all(len(record["history"] or []) > 1 for record in records)  # one epoch is no curve
    }
    if not histories:
        return None
    several = any(len(each) > 1 for each in histories.values())
    best = {name: group.networks[name][0]["best_epoch"] for name, each in histories.items() if len(each) == 1}
    reached = "; ".join(
        f"{name} reaches mean IoU {', '.join(f'{value:.3f}' for value in values)}"
        for name, each in histories.items()
        if all(values := [_best_iou(history) for history in each])
    )
    alt = f"Training loss, validation mean IoU and validation pixel accuracy by epoch. {reached}".strip()
    note = "Loss on the training set and scores on the validation set after each epoch. " + (
        "A line is the mean over the seeds, its band one standard deviation to either side."
        if several
        else "The ring marks the epoch whose weights were kept."
    )
    return _picture(svg(curves_over_seeds(histories, best=best)), alt) | {"note": note}


def _best_iou(history: Sequence[Mapping]) -> float | None:
    values = [(entry.get("validation") or {}).get("mean_iou") for entry in history]
    return max((value for value in values if value is not None), default=None)


def _notebook(name: str, runs: Sequence[Run]) -> dict:
    """Of several runs, the first one's pictures and origin."""
    run, *others = [run for run in runs if name in run.results]
    record = run.results[name]
    data = {key: value for key, value in (record["data"] or {}).items() if key != "classes"}
    parts = ("command", "parameters", "seed", "device", "packages", "best_epoch")
    origin = {part: record[part] for part in parts}
    origin |= {"data": data, "wall_time": f"{record['wall_time']:.0f} s"}
    return {
        "name": name,
        "run": run.name,
        "others": len(others),
        "figures": [
            {"alt": figure["alt"], "source": _png(run.folders[name] / figure["file"])} for figure in record["figures"]
        ],
        "origin": [(key.replace("_", " "), _text(value)) for key, value in origin.items() if value not in (None, {})],
        "measured": [(key, _text(value)) for key, value in record["measured"].items()],
    }


def _lines(groups: Sequence[Group]) -> list[str]:
    """The scores that one looks at first, for a terminal."""
    lines = []
    for group in groups:
        lines += [group.title, _aligned(score_table(group), skip=("mean accuracy", "f.w. IoU", "notebook")), ""]
    return lines[:-1]


def _aligned(table: Table, skip: Sequence[str] = ()) -> str:
    columns = [number for number, name in enumerate(table.header) if name not in skip]
    rows = [[row[number] for number in columns] for row in (table.header, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    sides = [str.ljust if number < table.texts else str.rjust for number in columns]
    lines = ["  ".join(side(*cell) for side, *cell in zip(sides, row, widths)).rstrip() for row in rows]
    return "\n".join(lines if skip else [table.title, *lines])


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} = {_text(item)}" for key, item in value.items())
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


def _png(path: Path) -> str:
    try:
        return _embedded(path.read_bytes(), "image/png")
    except OSError as error:
        raise CourseError(
            f"Cannot read the figure {path}, which its record names; run that notebook again: {path.parent.name}."
        ) from error


def _picture(drawn: bytes, alt: str) -> dict[str, str]:
    return {"source": _embedded(drawn, "image/svg+xml"), "alt": alt}


def _embedded(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
