"""What came out of a grading: grades.csv, a page with distribution and most frequent failed checks, feedback."""

import base64
import collections
import csv
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import jinja2
import nbformat
from nbgrader.api import Gradebook, MissingEntry

from core.files import write_atomically
from core.tables import csv_safe
from course.notebooks import source as notebooks
from course.teaching.grading.execute import is_check
from course.teaching.grading.repair import graded_cells

TEMPLATE = Path(__file__).with_name("summary.html")
MOST = 15  # failed checks on the page


@dataclass(frozen=True)
class Row:
    """One student's points for one notebook; a file that is no notebook of the course has no points."""

    student: str
    notebook: str
    automatic: float = 0
    automatic_max: float = 0
    manual: float = 0
    manual_pending: float = 0
    max: float = 0
    remark: str = ""


@dataclass(frozen=True)
class Summary:
    """What a grading wrote.

    Attributes:
        rows: by student and notebook.
        table, page: grades.csv and index.html.
    """

    rows: Sequence[Row]
    table: Path
    page: Path


def write(out: Path, remarks: Mapping[tuple[str, str], str], released: Mapping[str, nbformat.NotebookNode]) -> Summary:
    """Writes the table and the page, and a page of feedback for what couldn't be run.

    Args:
        out: the grading's folder.
        remarks: by student and notebook, in sentences; the notebook's name is empty for other files.
        released: the notebooks that anybody handed in, blank.
    """
    rows = [Row(student, "", remark=text) for (student, name), text in remarks.items() if not name]
    failed: collections.Counter[tuple[str, str]] = collections.Counter()
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}") as gradebook:
        for student in {student for student, _ in remarks}:
            for name, notebook in released.items():
                remark = remarks.get((student, name), "It was not handed in.")
                executed = out / "autograded" / student / name / f"{name}.ipynb"
                graded = gradebook if executed.exists() else None
                rows.append(_row(graded, student, name, notebook, remark))
                if graded:
                    failed.update((name, sentence) for sentence in failed_checks(executed))
                else:
                    _feedback_without_run(out / "feedback" / student / name / f"{name}.html", rows[-1])
    rows.sort(key=lambda row: (row.student, row.notebook))
    table, page = out / "grades.csv", out / "index.html"
    with write_atomically(table) as path, path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(field.name for field in fields(Row))
        writer.writerows([csv_safe(value) for value in _cells(row)] for row in rows)
    template = jinja2.Template(TEMPLATE.read_text(encoding="utf-8"), autoescape=True)
    shares = _shares(rows)
    with write_atomically(page) as path:
        path.write_text(
            template.render(
                rows=[(_cells(row), _link(out, row)) for row in rows],
                columns=[field.name.replace("_", " ") for field in fields(Row)],
                failed=[(count, name, sentence) for (name, sentence), count in failed.most_common(MOST)],
                figure=_histogram(shares),
                students=len(shares),
            ),
            encoding="utf-8",
        )
    return Summary(rows, table, page)


def failed_checks(path: Path) -> list[str]:
    """The sentences of the checks that failed in an executed notebook."""
    return [
        _sentence(output)
        for cell in notebooks.read(path).cells
        if is_check(cell)
        for output in cell.outputs
        if output.output_type == "error"
    ]


def _sentence(output: nbformat.NotebookNode) -> str:
    text = " ".join(output.evalue.split())
    return text if output.ename in ("CheckFailed", "NotImplementedError") else f"{output.ename}: {text}"


def _row(gradebook: Gradebook | None, student: str, name: str, notebook: nbformat.NotebookNode, remark: str) -> Row:
    automatic = automatic_max = manual = pending = most = 0.0
    for ident, cell in graded_cells(notebook).items():
        if not cell.metadata.nbgrader["grade"]:
            continue
        points, by_hand = float(cell.metadata.nbgrader["points"]), not is_check(cell)
        most += points
        automatic_max += 0 if by_hand else points
        try:
            grade = gradebook.find_grade(ident, name, name, student) if gradebook else None
        except MissingEntry:
            grade = None
        if grade and by_hand:
            pending += points if grade.needs_manual_grade and grade.manual_score is None else 0
            manual += grade.manual_score or 0
        elif grade:
            automatic += (grade.auto_score or 0) if grade.manual_score is None else grade.manual_score
    return Row(student, name, automatic, automatic_max, manual, pending, most, remark)


def _cells(row: Row) -> list[str]:
    return [value if isinstance(value, str) else f"{value:g}" for value in astuple(row)]


def _shares(rows: Sequence[Row]) -> list[float]:
    """Each student's share of the automatic points, in per cent."""
    points: dict[str, list[float]] = collections.defaultdict(lambda: [0.0, 0.0])
    for row in rows:
        points[row.student][0] += row.automatic
        points[row.student][1] += row.automatic_max
    return [100 * got / most for got, most in points.values() if most]


def _link(out: Path, row: Row) -> str:
    page = out / "feedback" / row.student / row.notebook / f"{row.notebook}.html"
    return page.relative_to(out).as_posix() if row.notebook and page.exists() else ""


def _histogram(shares: Sequence[float]) -> str:
    """The distribution as a PNG in base64."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 2.5), layout="constrained")
    axes = figure.subplots()
    axes.hist(shares, bins=range(0, 101, 10), color="#0072B2", edgecolor="white")
    axes.set(xlabel="automatic points, % of what can be had", ylabel="students", xlim=(0, 100))
    axes.yaxis.get_major_locator().set_params(integer=True)
    picture = io.BytesIO()
    figure.savefig(picture, dpi=120)
    return base64.b64encode(picture.getvalue()).decode()


def _feedback_without_run(path: Path, row: Row) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    title = html.escape(f"{row.notebook}: {row.student}")
    with write_atomically(path) as temporary:
        temporary.write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>'
            f"<p>0 of {row.max:g} points. {html.escape(row.remark)}</p></html>\n",
            encoding="utf-8",
        )
