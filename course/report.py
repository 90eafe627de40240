"""One self-contained page about a run, made from its records and the figures they name, nothing else."""

import base64
import json
from collections import defaultdict
from pathlib import Path

import jinja2

from core.errors import CourseError
from core.files import write_atomically
from core.plotting import curves, svg
from course.claims.claim import Results
from course.claims.measure import ClaimsTable, claims_table, materials, recorded_runs
from course.claims.page import marked
from course.record import load_results

FIGURES = {
    "pixel_accuracy": "pixel accuracy",
    "mean_accuracy": "mean accuracy",
    "mean_iou": "mean IoU",
    "frequency_weighted_iou": "f.w. IoU",
}


def write_report(folder: str | Path) -> ClaimsTable:
    """Writes `<folder>/report.html`.

    Args:
        folder: a run's folder.

    Returns:
        What became of the claims.

    Raises:
        CourseError: the folder holds no record, or one that can't be read, or it can't be written to.
    """
    folder = Path(folder).resolve()
    results = load_results(folder)
    if not results:
        raise CourseError(f"{folder} holds no results of a run; make some with: python -m course run --out {folder}")
    claims = claims_table([results], recorded_runs())
    with write_atomically(folder / "report.html") as path:
        path.write_text(page(results, claims, folder), encoding="utf-8")
    return claims


def page(results: Results, claims: ClaimsTable, folder: Path) -> str:
    """The page's HTML, in which nothing is loaded from elsewhere.

    Args:
        folder: the run's folder, where the records' figures are.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["figure"] = lambda value: "–" if value is None else f"{value:.3f}"
    return environment.get_template("report.html").render(
        title=f"Report of the run “{folder.name}”",
        materials=materials(results.values()),
        curves=_curves(results),
        figure_names=FIGURES.values(),
        comparison=_comparison(results),
        per_class=_per_class(results),
        claims=claims,
        marked=marked,
        notebooks=[_notebook(name, record, folder) for name, record in results.items()],
    )


def _curves(results: Results) -> dict[str, str] | None:
    histories = {name: record for name, record in results.items() if record["history"]}
    if not histories:
        return None
    best = [
        f"{name} reaches mean IoU {max(values):.3f}"
        for name, record in histories.items()
        if (
            values := [
                e["validation"]["mean_iou"]
                for e in record["history"]
                if (e.get("validation") or {}).get("mean_iou") is not None
            ]
        )
    ]
    alt = f"Training loss, validation mean IoU and validation pixel accuracy by epoch. {'; '.join(best)}"
    figure = curves(
        {name: record["history"] for name, record in histories.items()},
        best={name: record["best_epoch"] for name, record in histories.items()},
    )
    return {"source": _embedded(svg(figure), "image/svg+xml"), "alt": alt.strip()}


def _comparison(results: Results) -> list[dict]:
    return [
        {"notebook": name, "set": which, "figures": [record[which].get(figure) for figure in FIGURES]}
        for name, record in results.items()
        for which in ("validation", "test")
        if record[which] and any(figure in record[which] for figure in FIGURES)
    ]


def _per_class(results: Results) -> list[dict]:
    """One table for all the notebooks that have the same classes."""
    groups = defaultdict(dict)
    for name, record in results.items():
        if scores := (record["test"] or {}).get("iou_per_class"):
            numbered = [f"class {number}" for number in range(len(scores))]
            names = (record["data"] or {}).get("classes") or numbered
            groups[tuple(names)][name] = scores
    return [
        {
            "notebooks": list(columns),
            "rows": [{"name": name, "figures": row} for name, row in zip(names, zip(*columns.values()))],
        }
        for names, columns in groups.items()
    ]


def _notebook(name: str, record: dict, folder: Path) -> dict:
    data = {key: value for key, value in (record["data"] or {}).items() if key != "classes"}
    parts = ("command", "parameters", "seed", "device", "packages", "best_epoch")
    origin = {part: record[part] for part in parts}
    origin |= {"data": data, "wall_time": f"{record['wall_time']:.0f} s"}
    return {
        "name": name,
        "figures": [
            {"alt": figure["alt"], "source": _png(folder / name / figure["file"])} for figure in record["figures"]
        ],
        "origin": [(key.replace("_", " "), _text(value)) for key, value in origin.items() if value not in (None, {})],
        "measured": [(key, _text(value)) for key, value in record["measured"].items()],
    }


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


def _embedded(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
