"""What students handed in: a folder or zip for each, as learning-management systems export them."""

import copy
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import nbformat

from core.errors import CourseError
from course.teaching.grading.variants import seed_in, seed_of, set_seed

LARGEST = 50 * 2**20  # bytes for a notebook
MOST_FILES = 2000  # in a zip


@dataclass(frozen=True)
class Submission:
    """One notebook of one student, or a file that can't be graded.

    Attributes:
        student: the name that nbgrader knows the student by.
        name: the notebook's name in the course; None if the file is none of its notebooks.
        notebook: ready to be graded; None if it can't be.
        remark: what is wrong with it, in one sentence; empty if nothing is.
    """

    student: str
    name: str | None
    notebook: nbformat.NotebookNode | None
    remark: str


def collect(folder: Path, released: Mapping[str, nbformat.NotebookNode], scratch: Path) -> list[Submission]:
    """All submissions in a folder, by student.

    Args:
        folder: holds one folder or zip for each student.
        released: the blank notebooks by name.
        scratch: an empty folder, where zips are unpacked.

    Raises:
        CourseError: there is no such folder, it holds no submission, or two of its entries mean the same student.
    """
    if not folder.is_dir():
        raise CourseError(f"There is no folder {folder}; name one that holds a folder or zip for each student.")
    entries = [path for path in sorted(folder.iterdir()) if path.is_dir() or path.suffix.lower() == ".zip"]
    entries = [path for path in entries if not path.name.startswith((".", "__"))]
    if not entries:
        raise CourseError(f"{folder} holds no submission; it should hold a folder or zip for each student.")
    by_student: dict[str, Path] = {}
    for path in entries:
        student = student_name(path)
        if student in by_student:
            raise CourseError(
                f"{by_student[student].name} and {path.name} would be the same student; rename one of them."
            )
        by_student[student] = path
    return [found for student, path in by_student.items() for found in _of_student(student, path, released, scratch)]


def student_name(path: Path) -> str:
    """The student's name for nbgrader, from that of the folder or zip: letters, digits, ".", "_" and "-"."""
    stem = path.stem if path.suffix.lower() == ".zip" else path.name
    return re.sub(r"[^\w.-]+", "_", re.sub(r"_assignsubmission_file_?$", "", stem)).strip("_.") or "unnamed"


def _of_student(
    student: str, path: Path, released: Mapping[str, nbformat.NotebookNode], scratch: Path
) -> Iterator[Submission]:
    try:
        if path.is_file():
            path = _unpack(path, scratch / student)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, CourseError) as error:
        yield Submission(student, None, None, f"{path.name} can't be unpacked: {str(error).rstrip('.')}.")
        return
    files = [
        file
        for file in sorted(path.rglob("*.ipynb"))
        if not any(part.startswith((".", "__MACOSX")) for part in file.relative_to(path).parts)
    ]
    if not files:
        yield Submission(student, None, None, "There is no notebook in it.")
    seen: set[str] = set()
    # The file with the notebook's own name comes first, before copies such as "01_facades (1).ipynb".
    for file in sorted(files, key=lambda file: file.stem not in released):
        submission = _read(student, file, released)
        if submission.name in seen:
            submission = Submission(
                student, None, None, f"{file.name} is a second copy of {submission.name}; not graded."
            )
        seen.add(submission.name or "")
        yield submission


def _unpack(archive: Path, target: Path) -> Path:
    """Unpacks a zip's notebooks, refusing one that reaches out of its folder or is far too large."""
    with zipfile.ZipFile(archive) as opened:
        members = [member for member in opened.infolist() if not member.is_dir()]
        if len(members) > MOST_FILES:
            raise CourseError(f"it holds {len(members)} files")
        for member in members:
            place = PurePosixPath(member.filename.replace("\\", "/"))
            if place.is_absolute() or ".." in place.parts or ":" in member.filename:
                raise CourseError(f'its entry "{member.filename}" lies outside of it')
        for number, member in enumerate(members):
            if member.filename.lower().endswith(".ipynb"):
                place = PurePosixPath(member.filename.replace("\\", "/"))
                unpacked = target / str(number) / place.name if place.parts[0] != "__MACOSX" else None
                if unpacked:
                    unpacked.parent.mkdir(parents=True)
                    with opened.open(member) as source, unpacked.open("wb") as file:
                        # One byte too many is enough to know that it is too large, whatever the zip says of itself.
                        file.write(source.read(LARGEST + 1))
    target.mkdir(parents=True, exist_ok=True)
    return target


def _read(student: str, file: Path, released: Mapping[str, nbformat.NotebookNode]) -> Submission:
    named = file.stem if file.stem in released else None

    def refused(why: str) -> Submission:
        return Submission(student, named, None, f"{file.name} {why}.")

    try:
        if file.is_symlink() or not file.is_file():
            return refused("is no plain file")
        if file.stat().st_size > LARGEST:
            return refused(f"is larger than {LARGEST // 2**20} MB; outputs may be cleared before handing in")
        notebook = nbformat.reads(file.read_bytes().decode("utf-8"), as_version=4)
        nbformat.validate(notebook)
    except OSError as error:
        return refused(f"can't be read: {error.strerror}")
    except UnicodeDecodeError:
        return refused("is not UTF-8 text, so it is no notebook")
    except Exception:  # nbformat raises its own, json's, jsonschema's, and others for what is no notebook at all
        return refused("is not a notebook")
    name = _which(notebook, released)
    if name is None:
        return refused("has none of the graded cells of this course's notebooks")
    as_released = copy.deepcopy(released[name])
    if seed_in(notebook) == seed_of(student):
        set_seed(as_released, seed_of(student))
    missing = put_back(notebook, as_released)
    remarks = [f"it was handed in as {file.name}"] if named not in (None, name) else []
    remarks += [f"{missing} deleted cells were put back, empty or as released"] if missing else []
    text = "; ".join(remarks)
    return Submission(student, name, notebook, f"{text[:1].upper()}{text[1:]}." if text else "")


def graded_cells(notebook: nbformat.NotebookNode) -> dict[str, nbformat.NotebookNode]:
    """The cells that nbgrader knows, by their grade id, in order."""
    return {_grade_id(cell): cell for cell in notebook.cells if _grade_id(cell) is not None}


def _which(notebook: nbformat.NotebookNode, released: Mapping[str, nbformat.NotebookNode]) -> str | None:
    """The notebook of the course that shares most graded cells with this one."""
    ids = set(graded_cells(notebook))
    shared = {name: len(ids & set(graded_cells(blank))) for name, blank in released.items()}
    name = max(shared, key=shared.get)
    return name if shared[name] else None


def put_back(notebook: nbformat.NotebookNode, released: nbformat.NotebookNode) -> int:
    """Gives a submission the graded cells that it lacks, each below the one it stood below; the graded cells'
    metadata and the parameters become those of the released one.

    Returns:
        How many it lacked.
    """
    wanted, missing, place = graded_cells(released), 0, -1
    (parameters,) = (cell.source for cell in released.cells if "parameters" in cell.metadata.get("tags", []))
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = parameters
        if _grade_id(cell) in wanted:
            cell.metadata = wanted[_grade_id(cell)].metadata.copy()
        else:
            cell.metadata.pop("nbgrader", None)
            cell.metadata.pop("tags", None)
    for ident, cell in wanted.items():
        found = [index for index, each in enumerate(notebook.cells) if _grade_id(each) == ident]
        if found:
            place = found[-1]
        else:
            place += 1
            notebook.cells.insert(place, cell.copy())
            missing += 1
    return missing


def _grade_id(cell: nbformat.NotebookNode) -> str | None:
    known = cell.metadata.get("nbgrader")
    ident = known.get("grade_id") if isinstance(known, dict) else None
    return ident if isinstance(ident, str) else None
