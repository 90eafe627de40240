"""`course report`: a notebook that papermill runs on the records of some runs, as one self-contained page."""

from pathlib import Path

import jinja2
import papermill
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError

from core.errors import CourseError
from core.files import check_writable, write_atomically
from course.reporting.runs import find_runs
from course.running.kernels import own_kernels

NOTEBOOK = Path(__file__).with_name("report.ipynb")
PAGE = Path(__file__).with_name("report.html")


def write_report(*folders: str | Path) -> str:
    """Writes `report.html` and `results.csv` into the first folder.

    Args:
        folders: each a run's, or one that holds runs' folders.

    Returns:
        What came out, for a terminal.

    Raises:
        CourseError: a folder holds no record, or one that can't be read, or the first can't be written to.
    """
    find_runs(folders)  # all that is wrong with the records is told before a kernel starts
    places = [str(Path(folder).resolve()) for folder in folders]
    check_writable(places[0])
    try:
        notebook = papermill.execute_notebook(
            NOTEBOOK,
            None,
            {"folders": places},
            kernel_name="python3",
            progress_bar=False,
            kernel_manager_class=own_kernels({}),
        )
    except PapermillExecutionError as error:
        if error.ename != "CourseError":
            raise
        raise CourseError(error.evalue) from error
    summary = _take_out(notebook, "summary")
    _take_out(notebook, "injected-parameters")
    exporter = HTMLExporter(template_name="basic", exclude_input=True, exclude_output_prompt=True)
    body, _ = exporter.from_notebook_node(notebook)
    page = jinja2.Template(PAGE.read_text(encoding="utf-8"), autoescape=True)
    with write_atomically(Path(places[0]) / "report.html") as path:
        path.write_text(page.render(title=f"Report of {Path(places[0]).name}", body=body), encoding="utf-8")
    return summary


def _take_out(notebook: NotebookNode, tag: str) -> str:
    """Removes the cell with this tag, and returns what it printed."""
    cell = next(cell for cell in notebook.cells if tag in cell.metadata.get("tags", []))
    notebook.cells.remove(cell)
    return "".join(output.get("text", "") for output in cell.outputs).rstrip()
