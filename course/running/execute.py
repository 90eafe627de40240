"""Executes a notebook with a kernel of its own."""

import asyncio
import logging
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

from core.command import Failed
from core.files import write_atomically
from course.notebooks import source as notebooks

logging.getLogger("papermill").setLevel(logging.CRITICAL)  # a failure is told once, by Failed


def execute(path: Path, parameters: Mapping[str, object], target: Path, cell_starts: Callable[[int], None]) -> None:
    """Runs one notebook and writes it, with its outputs, to `target`.

    What ran of one that fails is kept beside it as `<notebook>.failed.ipynb`.

    Args:
        parameters: none leaves its cells as they are.
        cell_starts: is told the number of each cell that begins, counted from 1.

    Raises:
        CourseError: the notebook can't be written.
        Failed: it stopped with an error: the message names the notebook, the cell and the error.
    """

    def begins(cell: nbformat.NotebookNode, cell_index: int) -> None:
        """For nbclient, which calls it before each cell, from its event loop."""
        # What Ctrl-C leaves of a cell ends when its kernel does, and asyncio would tell of it once all has been said.
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        began.append(cell)
        cell_starts(cell_index + 1)

    source, began = notebooks.read(path), []
    with tempfile.TemporaryDirectory() as folder:
        # papermill would read braces in a path as places for parameters.
        unfinished = Path(folder) / path.name
        try:
            papermill.execute_notebook(
                source,
                str(unfinished).replace("{", "{{").replace("}", "}}"),
                parameters=parameters,
                cwd=path.parent,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                request_save_on_cell_execute=False,  # once is enough, and takes a hundredth of the time
                on_cell_start=begins,
                shutdown_kernel="immediate",  # all is written; Python needs a second to take torch down
            )
        except PapermillExecutionError as error:
            failure = f"stopped in cell In [{error.exec_count}] with {_last_line(error)}"
        except RuntimeError as error:  # nbclient's: no cell has an error to show
            failure = f"lost its kernel, perhaps for lack of memory ({str(error).rstrip('.')})"
            source.cells = began
            nbformat.write(source, unfinished)
        else:
            failure = None
        if failure:
            target = target.with_name(f"{path.stem}.failed.ipynb")
        _write(notebooks.read(unfinished), target)
    if failure:
        raise Failed(f"{path.stem} {failure}; what ran of it is kept in {target}")


def _write(notebook: nbformat.NotebookNode, target: Path) -> None:
    """Writes an executed notebook without papermill's metadata, which would differ in every run."""
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
    with write_atomically(target) as temporary:
        nbformat.write(notebook, temporary)


def _last_line(error: PapermillExecutionError) -> str:
    lines = f"{error.ename}: {error.evalue}".strip().splitlines()
    return lines[0] if error.ename == "CourseError" or len(lines) == 1 else f"{error.ename}: {lines[-1]}"
