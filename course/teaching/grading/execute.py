"""Phase one, executing: runs one hand-in from top to bottom, in a process of its own, and notes which checks pass.

The kernel has the blank course alone. Hidden tests come over the wire, each when its turn comes, and that a check has
passed is believed only with a number that couldn't be known before.
"""

import hashlib
import os
import secrets
import sys
import time
from pathlib import Path

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_output

from course.teaching.grading import sandbox
from course.teaching.grading.apart import apart

GUARD = Path(__file__).with_name("guard.py")
LEEWAY = 120  # seconds that the process has beyond the notebook's own, to start, to stop a cell and to write
DIED = "Python ended, or answered no more, perhaps for lack of memory; this cell and those below it were not run."
LATE = "The notebook's time was over; this cell and those below it were not run to their end."


def execute(
    notebook: nbformat.NotebookNode, imports: str, place: Path, mark: str, minutes: float, memory: float
) -> tuple[nbformat.NotebookNode, str]:
    """Has a notebook executed.

    Args:
        notebook: with the hidden tests in its checks.
        imports: as for `course.teaching.grading.guard.Guard`.
        place, mark: as for `course.teaching.grading.sandbox.workplace`.
        minutes, memory: what it may take, in gigabytes.

    Returns:
        The executed notebook, in which a check has an error among its outputs exactly if it failed; and what went wrong
        with the whole of it, in one sentence, or nothing.

    Raises:
        Failed: there is no executed notebook.
    """
    job = {"notebook": notebook, "imports": imports, "place": place, "seconds": 60 * minutes}
    job |= {"command": sandbox.command(place), "variables": sandbox.environment(place, mark)}
    executed, problem = apart(_execute, job, seconds=60 * minutes + LEEWAY, memory=memory)
    return nbformat.from_dict(executed), problem


def _execute(job: dict) -> tuple[nbformat.NotebookNode, str]:
    """In a process of its own: starts a kernel and executes a notebook in it."""
    place = job["place"]
    words = [*job["command"], sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]

    class Kernel(AsyncKernelManager):
        kernel_spec = KernelSpec(argv=words, display_name="Python 3", language="python")

    manager = Kernel(connection_file=str(place / "kernel.json"))
    if os.name == "posix":  # files instead of ports: they need no network, and nobody else listens
        manager.transport, manager.ip = "ipc", str(place / "s")
    run = Run(job["notebook"], km=manager)
    run.on_cell_executed = run.note_status
    problem = run.whole(job)
    return run.nb, problem


class Run(NotebookClient):
    """A notebook in its kernel."""

    allow_errors = True
    shutdown_kernel = "immediate"
    store_widget_state = False
    iopub_timeout = 60  # seconds; a busy machine is no reason to give up

    def whole(self, job: dict) -> str:
        """Executes all cells; what went wrong, in one sentence, or nothing."""
        self.guard, self.secret, cells, index = f"_{secrets.token_hex(8)}", secrets.token_hex(), [], 0
        with self.setup_kernel(cwd=str(job["place"] / "course" / "notebooks"), env=job["variables"]):
            start = f"exec({GUARD.read_text(encoding='utf-8')!r}, (_ := {{}}))"
            start += f"; {self.guard} = _['Guard']({self.secret!r}, {job['imports']!r}); del _"
            if self._quietly(start) != "ok":
                return "The course's own imports fail where it was to be run; mend the notebook."
            ends = time.monotonic() + job["seconds"]
            self.timeout_func = lambda cell: max(1, int(ends - time.monotonic()))
            try:
                for index, cell in enumerate(list(self.nb.cells)):
                    if is_check(cell):
                        self._check(cell, index, cells)
                    elif cell.cell_type == "code":
                        self.execute_cell(cell, index)
                        cells.append(cell.source)
            except (DeadKernelError, CellTimeoutError) as error:
                ename, sentence = ("Late", LATE) if isinstance(error, CellTimeoutError) else ("KernelDied", DIED)
                for cell in self.nb.cells[index:]:
                    if cell.cell_type == "code":
                        cell.outputs = [new_output("error", ename=ename, evalue=sentence, traceback=[sentence])]
                return sentence
        return ""

    def _check(self, cell: nbformat.NotebookNode, index: int, cells: list[str]) -> None:
        """Runs a check with everything put back that it leans on."""
        number, source = secrets.token_hex(), cell.source
        self._quietly(f"{self.guard}.before({number!r}, {['', *cells, source]!r})")
        cell.source = f"{source}\n{self.guard}.passed({number!r})"
        try:
            self.execute_cell(cell, index, store_history=False)
        finally:
            cell.source = source
        proof = hashlib.sha256((self.secret + number).encode()).hexdigest()
        passed = self.status == "ok" and any(proof in output.get("text", "") for output in cell.outputs)
        self._quietly(f"{self.guard}.after()")
        for output in cell.outputs:
            if output.output_type == "stream":
                output.name, output.text = "stdout", output.text.replace(f"\n{proof}\n", "")
        kept = [output for output in cell.outputs if output.output_type in ("stream", "display_data")]
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if not passed and not errors:
            sentence = "The check was not run to its end."
            errors = [new_output("error", ename="NotPassed", evalue=sentence, traceback=[sentence])]
        cell.outputs = kept if passed else kept + errors

    def _quietly(self, source: str) -> str:
        """Executes a line of the grader's; its status."""
        cell, self.nb.cells = new_code_cell(source), [*self.nb.cells, new_code_cell()]
        try:
            self.execute_cell(cell, len(self.nb.cells) - 1, store_history=False)
        finally:
            self.nb.cells.pop()
        return self.status

    def note_status(self, execute_reply: dict, **others: object) -> None:
        self.status = execute_reply["content"]["status"]


def is_check(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell is graded by being run."""
    known = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and known.get("grade", False) and not known.get("solution", False)
