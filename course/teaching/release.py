"""The blank version of the course, as students get it, and the instructors' version of its notebooks."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import nbformat

from core.errors import CourseError
from core.files import ROOT
from course.notebooks import source as notebooks
from course.notebooks.blanks import blank
from course.teaching.grading.cells import instructors_version
from course.teaching.grading.submissions import student_name
from course.teaching.grading.variants import seed_of, set_seed

# A student's copy: these, without the folders that only instructors need, wherever they lie.
COPIED = ("LICENSE", "CITATION.cff", "pyproject.toml", "constraints.txt", "environment.yml")
COPIED += ("core", "fcn", "cam", "residual", "course", "docs", "files", "presets")
COPIED += ("dataset/README.md", "dataset/SHA256SUMS")
INSTRUCTORS = {"teaching", "instructors"}
STUDENTS_OWN = Path(__file__).parent / "student"  # README, Makefile, nbgrader's settings


def release(folder: str | Path, root: Path = ROOT) -> None:
    """Writes the blank version of the whole course.

    Args:
        folder: a new or empty one, outside the course's own packages.
        root: the course's folder.

    Raises:
        CourseError: the folder isn't empty or can't be written to, a notebook's markers aren't as they must be, or
            nbgrader isn't installed. Nothing is left in the folder then.
    """
    with _new_folder(folder, root) as unfinished:
        _write_copy(unfinished, _blank_notebooks(root), root)


def release_variants(folder: str | Path, students: Sequence[str], root: Path = ROOT) -> None:
    """Writes a blank version for each student, `<folder>/<student>`, whose trainings draw from the student's own seed.

    Args:
        students: their names, from which the seeds come; grading knows them by the names of what they hand in.
        folder, root: as for `release`.

    Raises:
        CourseError: as for `release`, and if there is no name, one is given twice, or one can't be a folder's.
    """
    if not students:
        raise CourseError("There is no student in the list; write a name on each line.")
    for name in students:
        if name != student_name(Path(name)) or students.count(name) > 1:
            raise CourseError(
                f'The student "{name}" is there twice, or the name has other characters than letters, digits, ".", "_" '
                'and "-"; mend the list.'
            )
    with _new_folder(folder, root) as unfinished:
        blanks = _blank_notebooks(root)
        for student in students:
            _write_copy(unfinished / student, blanks, root, seed_of(student))


def write_instructors_version(folder: str | Path, root: Path = ROOT) -> None:
    """Writes the solved notebooks with hidden tests, points and rubrics, never to be handed out.

    Args:
        folder, root: as for `release`.

    Raises:
        CourseError: as for `release`.
    """
    with _new_folder(folder, root) as unfinished:
        for path in notebooks.choose([], root / "notebooks"):
            write_source(path, unfinished / path.name)
        shutil.copyfile(STUDENTS_OWN / "nbgrader_config.py", unfinished / "nbgrader_config.py")


def write_source(path: Path, target: Path) -> None:
    """Writes the instructors' version of a notebook.

    Raises:
        CourseError: its blanks can't be emptied.
    """
    blank(notebooks.read(path), path.stem)  # whether it can be emptied, with a message that names the cell
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(instructors_version(notebooks.read(path), path.stem), target)


def copy_course(root: Path, target: Path) -> None:
    """Copies what students get, but for the notebooks."""
    target.mkdir(exist_ok=True)
    for part in COPIED:
        source = root / part
        for path in sorted(source.rglob("*")) if source.is_dir() else [source] * source.exists():
            place = path.relative_to(root)
            if path.is_file() and not _left_out(place):
                (target / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target / place)
    shutil.copytree(STUDENTS_OWN, target, dirs_exist_ok=True)


def _left_out(place: Path) -> bool:
    return any(part in INSTRUCTORS or part == "__pycache__" or part.startswith(".") for part in place.parts)


@contextlib.contextmanager
def _new_folder(folder: str | Path, root: Path) -> Iterator[Path]:
    """A folder to write to, renamed to `folder` on success, so that there is the whole of it or nothing."""
    folder = Path(folder).resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CourseError(f"{folder} exists and isn't an empty folder; name a new one.")
    if any(folder.is_relative_to(root / part) for part in (*COPIED, "notebooks")):
        raise CourseError(f"{folder} lies in what is to be copied; name a folder elsewhere.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
            unfinished = Path(temporary) / folder.name
            unfinished.mkdir()
            yield unfinished
            unfinished.replace(folder)
    except OSError as error:
        raise CourseError(
            f"Cannot write to {folder}: {error.strerror or error}; free some space or name another folder."
        ) from error


def _blank_notebooks(root: Path) -> dict[str, nbformat.NotebookNode]:
    """By name, the blank notebooks that nbgrader makes of the instructors' version."""
    from course.teaching.grading.converters import generate  # not above: the instructors' version needs no nbgrader

    with tempfile.TemporaryDirectory(prefix="release.") as scratch:
        paths = {path.stem: path for path in notebooks.choose([], root / "notebooks")}
        for name, path in paths.items():
            write_source(path, Path(scratch) / "source" / name / path.name)
        generate(Path(scratch), list(paths), database=False)
        return {name: notebooks.read(Path(scratch) / "release" / name / path.name) for name, path in paths.items()}


def _write_copy(target: Path, blanks: Mapping[str, nbformat.NotebookNode], root: Path, seed: int | None = None) -> None:
    copy_course(root, target)
    (target / "notebooks").mkdir()
    for name, notebook in blanks.items():
        if seed is not None:
            set_seed(notebook, seed)
        nbformat.write(notebook, target / "notebooks" / f"{name}.ipynb")
