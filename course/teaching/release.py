"""The blank version of the course, as students get it, and the instructors' version of its notebooks."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat

from core.errors import CourseError
from core.files import ROOT
from course.notebooks import source as notebooks
from course.notebooks.blanks import blank

__all__ = ["blank", "copy_course", "release", "release_variants", "write_instructors_version", "write_source"]

# What a student needs; a package the course does not have yet is left out.
PARTS = (
    "LICENSE",
    "CITATION.cff",
    "pyproject.toml",
    "constraints.txt",
    "environment.yml",
    "core",
    "fcn",
    "cam",
    "residual",
    "course",
    "files",
    "dataset/README.md",
    "dataset/SHA256SUMS",
    "docs",
    "presets",
)
# Of these, what only instructors need, or only whoever works on the course.
LEFT_OUT = (
    "course/teaching/grading",
    "course/notebooks/blanks.py",
    "course/teaching/release.py",
    "course/teaching/site.py",
    "course/teaching/slides.py",
    "course/commands/release.py",
    "course/commands/grade.py",
    "course/commands/slides.py",
    "docs/adding-*.md",
    "docs/api*",
    "docs/before-term.md",
    "docs/common-mistakes.md",
    "docs/conf.py",
    "docs/instructors.md",
    "docs/map.md",
    "docs/plan-by-week.md",
    "docs/site.*",
    "docs/templates",
)
STUDENTS_OWN = Path(__file__).parent / "grading" / "student"  # README, Makefile, nbgrader's settings


def release(folder: str | Path, root: Path = ROOT) -> None:
    """Writes the blank version of the whole course.

    Args:
        folder: a new or empty one, outside the course's own packages.
        root: the course's folder.

    Raises:
        CourseError: the folder isn't empty or can't be written to, a notebook's markers aren't as they must be, or
            nbgrader isn't installed. Nothing is left in the folder then.
    """

    def write(unfinished: Path) -> None:
        copy_course(root, unfinished)
        (unfinished / "notebooks").mkdir()
        for name, path in _generated(root, unfinished / ".nbgrader").items():
            shutil.copyfile(path, unfinished / "notebooks" / f"{name}.ipynb")
        shutil.rmtree(unfinished / ".nbgrader")

    _write_whole(Path(folder).resolve(), root, write)


def release_variants(folder: str | Path, students: Sequence[str], root: Path = ROOT) -> None:
    """Writes a blank version for each student, `<folder>/<student>`, whose trainings draw from the student's own seed.

    Args:
        students: their names, from which the seeds come; grading knows them by the names of what they hand in.
        folder, root: as for `release`.

    Raises:
        CourseError: as for `release`, and if there is no name, one is given twice, or one can't be a folder's.
    """
    from course.teaching.grading.submissions import student_name
    from course.teaching.grading.variants import seed_of, set_seed

    if not students:
        raise CourseError("There is no student in the list; write a name on each line.")
    for number, name in enumerate(students):
        if name != student_name(Path(name)) or name in students[:number]:
            raise CourseError(
                f'The student "{name}" is there twice, or the name has other characters than letters, digits, ".", "_" '
                'and "-"; mend the list.'
            )

    def write(unfinished: Path) -> None:
        generated = _generated(root, unfinished / ".nbgrader")
        for student in students:
            copy_course(root, unfinished / student)
            (unfinished / student / "notebooks").mkdir()
            for name, path in generated.items():
                notebook = notebooks.read(path)
                set_seed(notebook, seed_of(student))
                nbformat.write(notebook, unfinished / student / "notebooks" / f"{name}.ipynb")
        shutil.rmtree(unfinished / ".nbgrader")

    _write_whole(Path(folder).resolve(), root, write)


def write_instructors_version(folder: str | Path, root: Path = ROOT) -> None:
    """Writes the solved notebooks with hidden tests, points and rubrics, never to be handed out.

    Args:
        folder, root: as for `release`.

    Raises:
        CourseError: as for `release`.
    """

    def write(unfinished: Path) -> None:
        for path in notebooks.choose([], root / "notebooks"):
            write_source(path, unfinished / path.name)
        shutil.copyfile(STUDENTS_OWN / "nbgrader_config.py", unfinished / "nbgrader_config.py")

    _write_whole(Path(folder).resolve(), root, write)


def _write_whole(folder: Path, root: Path, write: Callable[[Path], None]) -> None:
    """Has a folder written beside its place and renames it, so that there is the whole of it or nothing."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CourseError(f"{folder} exists and isn't an empty folder; name a new one.")
    if any(folder.is_relative_to(root / part) for part in (*PARTS, "notebooks")):
        raise CourseError(f"{folder} lies in what is to be copied; name a folder elsewhere.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
            unfinished = Path(temporary) / folder.name
            unfinished.mkdir()
            write(unfinished)
            unfinished.replace(folder)
    except OSError as error:
        raise CourseError(
            f"Cannot write to {folder}: {error.strerror or error}; free some space or name another folder."
        ) from error


def _generated(root: Path, course: Path) -> dict[str, Path]:
    """The blank notebooks that nbgrader makes of the instructors' version, by name."""
    from course.teaching.grading.converters import (
        generate,  # not above: not everything that needs this module needs nbgrader
    )

    names = [path.stem for path in notebooks.choose([], root / "notebooks")]
    for name in names:
        write_source(root / "notebooks" / f"{name}.ipynb", course / "source" / name / f"{name}.ipynb")
    generate(course, names, database=False)
    return {name: course / "release" / name / f"{name}.ipynb" for name in names}


def write_source(path: Path, target: Path) -> None:
    """Writes the instructors' version of a notebook.

    Raises:
        CourseError: its blanks can't be emptied.
    """
    from course.teaching.grading.cells import instructors_version

    notebook = notebooks.read(path)
    blank(notebooks.read(path), path.stem)  # whether it can be emptied, with a message that names the cell
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(instructors_version(notebook, path.stem), target)


def copy_course(root: Path, target: Path) -> None:
    """Copies what students get, but for the notebooks."""
    target.mkdir(exist_ok=True)
    for part in PARTS:
        source = root / part
        for path in sorted(source.rglob("*")) if source.is_dir() else [source] * source.exists():
            place = path.relative_to(root)
            if path.is_file() and not _left_out(place):
                (target / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target / place)
    for path in STUDENTS_OWN.iterdir():
        shutil.copy(path, target / path.name)


def _left_out(place: Path) -> bool:
    hidden = any(part.startswith(".") or part == "__pycache__" for part in place.parts)
    return hidden or any(parent.match(pattern) for pattern in LEFT_OUT for parent in [place, *place.parents])
