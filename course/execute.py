"""Executes a notebook in a process of its own, with a line that says where it is."""

import asyncio
import contextlib
import logging
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import ipykernel.kernelspec
import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError
from tqdm import tqdm

from core.command import Failed
from core.files import write_atomically
from course import notebooks

logging.getLogger("papermill").setLevel(logging.CRITICAL)  # a failure is told once, by Failed


def execute(path: Path, parameters: Mapping[str, object], target: Path, title: str) -> None:
    """Runs one notebook and writes it, with its outputs, to `target`.

    What ran of one that fails is kept beside it as `<notebook>.failed.ipynb`.

    Args:
        parameters: none leaves its cells as they are.

    Raises:
        CourseError: the notebook can't be written.
        Failed: it stopped with an error: the message names the notebook, the cell and the error.
    """
    source = notebooks.read(path)
    with tempfile.TemporaryDirectory() as folder, Progress(title, source) as progress:
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
                on_cell_start=progress.cell_starts,
            )
        except PapermillExecutionError as error:
            failure = f"stopped in cell In [{error.exec_count}] with {_last_line(error)}"
        except RuntimeError as error:  # nbclient's: no cell has an error to show
            failure = f"lost its kernel, perhaps for lack of memory ({str(error).rstrip('.')})"
        else:
            failure = None
        if failure:
            target = target.with_name(f"{path.stem}.failed.ipynb")
        _write(notebooks.read(unfinished), target)
    if failure:
        raise Failed(f"{path.stem} {failure}; what ran of it is kept in {target}")


class Progress:
    """A line with the notebook, the cell it is in and the time it takes, on a terminal; nothing elsewhere."""

    def __init__(self, title: str, notebook: nbformat.NotebookNode) -> None:
        # papermill adds a cell with the given parameters.
        self.bar = tqdm(
            total=len(notebook.cells) + 1,
            desc=title,
            disable=None,
            leave=False,
            bar_format="{desc} |{bar:24}| cell {n_fmt} of {total_fmt}, {elapsed}",
        )
        self.done = threading.Event()
        self.clock = threading.Thread(target=self._tick, daemon=True)

    def cell_starts(self, cell: nbformat.NotebookNode, cell_index: int) -> None:
        """For nbclient, which calls it before each cell, from its event loop."""
        # What Ctrl-C leaves of a cell ends when its kernel does, and asyncio would tell of it once all has been said.
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        self.bar.n = cell_index + 1
        self.bar.refresh()

    def _tick(self) -> None:
        # The bar moves with the cells only, and a training cell may take hours.
        while not self.done.wait(1.0):
            self.bar.refresh()

    def __enter__(self) -> "Progress":
        self.clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.clock.join()
        self.bar.close()


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


@contextlib.contextmanager
def own_kernel() -> Iterator[None]:
    """Lets "python3" be this interpreter, whichever kernels the user or the system has by that name."""
    with tempfile.TemporaryDirectory() as folder:
        # The kernel's log says nothing to the user: what went wrong in a notebook is reported from there.
        ipykernel.kernelspec.write_kernel_spec(
            Path(folder) / "kernels" / "python3", extra_arguments=["--log-level=CRITICAL"]
        )
        search = os.pathsep.join(filter(None, [folder, os.environ.get("JUPYTER_PATH")]))
        with environment(JUPYTER_PATH=search):
            yield


@contextlib.contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Sets variables of the environment for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
