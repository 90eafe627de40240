"""Runs notebooks unattended, one after another, with other parameters."""

import contextlib
import logging
import os
import shlex
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import ipykernel.kernelspec
import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError
from tqdm import tqdm

from core.errors import CourseError
from core.files import ROOT, write_atomically
from course import notebooks
from course.data_arguments import FOLDERS, check_voc, data_folder, folder_given
from course.record import FILE, project_path

RUNS = ROOT / "runs"
logging.getLogger("papermill").setLevel(logging.CRITICAL)  # a failure is told once, by NotebookFailed


class NotebookFailed(Exception):
    """A notebook stopped with an error: the message names the notebook, the cell and the error."""


class Interrupted(Exception):
    """The user stopped the run: the message says what there is and how to go on."""


def run(
    names: Sequence[str],
    given: Sequence[tuple[str, str]] = (),
    data: str | None = None,
    out: str | None = None,
) -> Path:
    """Runs notebooks in order, each into `<out>/<notebook>/`, and stops at the first that fails.

    Everything that can be wrong with the arguments is found before anything runs.

    Args:
        names: the notebooks; none means the whole course.
        given: names and values of parameters, passed to those notebooks that have them.
        data: a folder with base/ and extended/ in CMP Facade's form, for the notebooks that read photographs; or,
            for those of READ_VOC, "voc" or a folder that holds VOCdevkit.
        out: the run's folder; by default runs/builtin, or runs/ and the data's name.

    Returns:
        The run's folder.

    Raises:
        CourseError: a name or value is wrong, or the folder can't be written to.
        NotebookFailed: a notebook stopped with an error; what ran of it is kept as `<notebook>.failed.ipynb`.
        Interrupted: Ctrl-C.
    """
    paths = notebooks.choose(names)
    # A folder, unlike the name of a data set, is meant as seen from here, not from the notebooks.
    given = [(name, folder_given(name, text) if name in FOLDERS and os.sep in text else text) for name, text in given]
    if data is not None:
        given.append(("data", data if data in ("builtin", "cmp", "voc") else data_folder(data)))
    check_voc(paths, dict(given).get("data"))
    values = resolve(paths, given)
    out = Path(out).resolve() if out else RUNS / _default_name(given)
    _make_writable(out)
    for path in paths:
        # A reader must never take what an earlier run left for what this one made.
        for stale in (FILE, f"{path.stem}.ipynb", f"{path.stem}.failed.ipynb"):
            (out / path.stem / stale).unlink(missing_ok=True)
    with own_kernel(), _environment(COURSE_COMMAND=command(names, given, out)):
        for number, path in enumerate(paths, start=1):
            title = f"[{number}/{len(paths)}] {path.stem}"
            began = time.perf_counter()
            try:
                execute(path, values[path.stem] | {"out": str(out)}, out, title)
            except KeyboardInterrupt as error:
                raise Interrupted(
                    f"Stopped in {path.stem}; what is finished is in {out}, and the same "
                    "command with -p resume true goes on from the last full epoch."
                ) from error
            print(f"{title}: {time.perf_counter() - began:.0f} s", flush=True)
    return out


def resolve(paths: Sequence[Path], given: Sequence[tuple[str, str]]) -> dict[str, dict[str, object]]:
    """What each notebook is to be given: those of the given parameters that it has, in their types.

    Raises:
        CourseError: a parameter is given twice, or no notebook has it, or a value is of the wrong type.
    """
    defaults = {path.stem: notebooks.defaults(notebooks.read(path)) for path in paths}
    known = sorted({name for values in defaults.values() for name in values} - {"out"})
    resolved = {stem: {} for stem in defaults}
    for name, text in given:
        if name == "out":
            raise CourseError("The folder of a run is named with --out DIR, not with -p.")
        if name not in known:
            nearest = notebooks.nearest(name, known)
            raise CourseError(f'None of these notebooks has a parameter "{name}"; {nearest}.')
        if [other for other, _ in given].count(name) > 1:
            raise CourseError(f"The parameter {name} is given twice; give it once.")
        for stem, values in defaults.items():
            if name in values:
                resolved[stem][name] = notebooks.parse(name, text, values[name])
    return resolved


def command(names: Sequence[str], given: Sequence[tuple[str, str]], out: Path) -> str:
    """The command that repeats a run, with no path outside the course's folder in it."""
    words = ["python", "-m", "course", "run", *(Path(name).name for name in names)]
    for name, text in given:
        words += ["-p", name, project_path(Path(text)) if os.path.isabs(text) else text]
    return shlex.join([*words, "--out", project_path(out)])


def execute(path: Path, parameters: Mapping[str, object], out: Path, title: str) -> None:
    """Runs one notebook and writes it, with its outputs, to `<out>/<notebook>/<notebook>.ipynb`.

    Raises:
        CourseError: the notebook can't be written.
        NotebookFailed: it stopped with an error.
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
        target = out / path.stem / (f"{path.stem}.failed.ipynb" if failure else path.name)
        _write(notebooks.read(unfinished), target)
    if failure:
        raise NotebookFailed(f"{path.stem} {failure}; what ran of it is kept in {target}")


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
        """For nbclient, which calls it before each cell."""
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


def _default_name(given: Sequence[tuple[str, str]]) -> str:
    return Path(dict(given).get("data", "builtin")).name


def _make_writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise CourseError(f"Cannot write to {out}: {error.strerror}; name another with --out.") from error


@contextlib.contextmanager
def own_kernel() -> Iterator[None]:
    """Lets "python3" be this interpreter, whichever kernels the user or the system has by that name."""
    with tempfile.TemporaryDirectory() as folder:
        # The kernel's log says nothing to the user: what went wrong in a notebook is reported from there.
        ipykernel.kernelspec.write_kernel_spec(
            Path(folder) / "kernels" / "python3", extra_arguments=["--log-level=CRITICAL"]
        )
        search = os.pathsep.join(filter(None, [folder, os.environ.get("JUPYTER_PATH")]))
        with _environment(JUPYTER_PATH=search):
            yield


@contextlib.contextmanager
def _environment(**variables: str) -> Iterator[None]:
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
