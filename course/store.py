"""Running the notebooks with their defaults and keeping the outputs in them, for nbval to hold later runs against."""

import re
from pathlib import Path

import nbformat
from nbconvert.preprocessors import CellExecutionError, ExecutePreprocessor

from core.errors import CourseError
from core.files import write_atomically
from course import notebooks
from course.run import own_kernel


def store(path: Path) -> None:
    """Runs one notebook from a fresh kernel and writes it back with its outputs.

    Progress bars are left out (a stored widget is dead), and so is what names the machine.

    Raises:
        CourseError: a cell stopped with an error.
    """
    notebook = notebooks.read(path)
    with own_kernel():
        runner = ExecutePreprocessor(timeout=None, kernel_name="python3", store_widget_state=False, record_timing=False)
        try:
            runner.preprocess(notebook, {"metadata": {"path": str(path.parent)}})
        except CellExecutionError as error:
            raise CourseError(
                f"{path.stem} stopped with {error.ename}: {error.evalue}; it stays as it was: mend that "
                "cell and store it again."
            ) from error
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_progress(output)]
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    with write_atomically(path) as temporary:
        nbformat.write(notebook, temporary)


def _is_progress(output: nbformat.NotebookNode) -> bool:
    is_bar = re.match(r"\s*\d+%\|", output.get("text", "").split("\r")[-1]) is not None
    return is_bar or "application/vnd.jupyter.widget-view+json" in output.get("data", {})
