"""Running the notebooks with their defaults and keeping the outputs in them, for nbval to hold later runs against."""

import re
import tempfile
from pathlib import Path

import nbformat

from core.command import Failed
from core.files import write_atomically
from course.notebooks import source as notebooks
from course.running.execute import execute
from course.running.kernels import own_kernel
from course.running.progress import Progress


def store(path: Path) -> None:
    """Runs one notebook from a fresh kernel and writes it back with its outputs.

    Progress bars are left out (a stored widget is dead), and so is what names the machine.

    Raises:
        Failed: a cell stopped with an error; the notebook stays as it was.
    """
    with own_kernel(), tempfile.TemporaryDirectory() as folder:
        executed = Path(folder) / path.name
        try:
            with Progress(path.stem, len(notebooks.read_source(path).cells)) as progress:
                execute(path, {}, executed, progress.cell_starts)
        except Failed as error:
            what = str(error).split("; what ran")[0]
            raise Failed(f"{what}; it stays as it was: mend that cell and store it again.") from error
        notebook = notebooks.read(executed)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_progress(output)]
            cell.metadata.pop("execution", None)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        **{name: value for name, value in notebook.metadata.items() if name == "course"},
    }
    with write_atomically(path) as temporary:
        nbformat.write(notebook, temporary)


def _is_progress(output: nbformat.NotebookNode) -> bool:
    is_bar = re.match(r"(.*: )?\s*\d+%\|", output.get("text", "").split("\r")[-1]) is not None
    return is_bar or "application/vnd.jupyter.widget-view+json" in output.get("data", {})
