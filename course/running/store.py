"""Running the notebooks with their defaults and keeping the outputs in them, for nbval to hold later runs against."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat

from core.command import Failed, Interrupted
from core.files import write_atomically
from course.notebooks import source as notebooks
from course.running.execute import Task, execute_all
from course.running.jobs import threads_of_each


def store(names: Sequence[str]) -> None:
    """Runs notebooks, each from a fresh kernel, and writes them back with their outputs; none means the whole course.

    Progress bars are left out (a stored widget is dead), and so is what names the machine.

    Raises:
        Failed: a cell stopped with an error; the notebook stays as it was.
        Interrupted: Ctrl-C; the notebook stays as it was.
    """
    for path in notebooks.choose(names):
        _store(path)
        print(path, flush=True)


def _store(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        task = Task(path, {}, Path(folder), "interactive")
        try:
            execute_all([task], {path.stem: []}, 1, threads_of_each(1))
        except Failed as error:
            what = str(error).split("; what ran")[0]
            raise Failed(f"{what}; it stays as it was: mend that cell and store it again.") from error
        except Interrupted as error:
            raise Interrupted(f"Stopped; {path.stem} stays as it was.") from error
        notebook = notebooks.read(task.executed)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_progress(output)]
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
