"""What students handed in, found in whatever form a learning-management system exports it."""

import re
import tarfile
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import nbformat

from core.errors import CourseError
from course.teaching.grading.repair import LARGEST, Refused, read_cells, restored

MOST_FILES, MOST_BYTES = 2000, 2**30  # in an archive
NOTEBOOK = re.compile(r"\.ipynb(\W.*)?$", re.IGNORECASE)  # also .ipynb.txt, .ipynb (1).json
ZIP, TAR = re.compile(r"\.zip$", re.IGNORECASE), re.compile(r"\.(tar(\.\w+)?|tgz|tbz2?|txz)$", re.IGNORECASE)


OTHER = re.compile(r"\.(7z|rar|gz|pdf|txt|html?)$", re.IGNORECASE)  # can't be graded


@dataclass(frozen=True)
class Submission:
    """One notebook of one student, or what can't be graded.

    Attributes:
        student: the name that nbgrader knows the student by.
        name: the notebook's name in the course; None if it is none of its notebooks.
        notebook: ready to be graded; None if it can't be.
        remark: what is to be said of it, in sentences; empty if nothing is.
    """

    student: str
    name: str | None
    notebook: nbformat.NotebookNode | None
    remark: str


def collect(folder: Path, released: Mapping[str, nbformat.NotebookNode], scratch: Path) -> list[Submission]:
    """All submissions in a folder, by student.

    Args:
        folder: holds a folder, an archive or notebooks for each student.
        released: the blank notebooks by name.
        scratch: an empty folder, where archives are unpacked.

    Raises:
        CourseError: there is no such folder, it holds nothing, or two of its entries would be the same student.
    """
    if not folder.is_dir():
        raise CourseError(f"There is no folder {folder}; name one that holds a folder or archive for each student.")
    by_student: dict[str, list[Path]] = defaultdict(list)
    raw: dict[str, tuple[str, str]] = {}
    for path in sorted(folder.iterdir()):
        if not path.name.startswith((".", "__")):
            student, name = student_name(path, released), _raw_name(path, released)
            by_student[student].append(path)
            if raw.setdefault(student, (name, path.name))[0] != name:
                raise CourseError(f"{raw[student][1]} and {path.name} would be the same student; rename one of them.")
    if not by_student:
        raise CourseError(f"{folder} holds no submission; it should hold a folder or archive for each student.")
    return [
        found
        for student, paths in by_student.items()
        for found in _of_student(student, paths, released, scratch / student)
    ]


def student_name(path: Path, released: Collection[str] = ()) -> str:
    """The student's name for nbgrader, from that of what was handed in: letters, digits, ".", "_" and "-".

    Args:
        released: the names of the course's notebooks, which may stand at the end of a file's name.
    """
    return re.sub(r"[^\w.-]+", "_", _raw_name(path, released)).strip("_.-") or "unnamed"


def _raw_name(path: Path, released: Collection[str]) -> str:
    name = unicodedata.normalize("NFC", path.name)
    if not path.is_dir():
        for pattern in (NOTEBOOK, ZIP, TAR, OTHER):
            name = pattern.sub("", name)
        for notebook in released:
            name = re.sub(rf"[ _-]*{re.escape(notebook)}[ _-]*(\(?\d+\)?)?$", "", name)
    return re.sub(r"_assignsubmission_file_?.*$", "", name)


def _of_student(
    student: str, paths: list[Path], released: Mapping[str, nbformat.NotebookNode], scratch: Path
) -> Iterator[Submission]:
    """The notebooks of one student, each once, and last what isn't graded, with the reasons."""
    files: list[Path] = []
    reasons: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        for file, reason in _notebooks_in(path, scratch):
            if reason:
                reasons[reason].append(_shown(file.name))
            else:
                files.append(file)
    seen: set[str] = set()
    # A file with a notebook's own name comes first, before copies such as "01_facades (1).ipynb".
    for file in sorted(files, key=lambda file: file.stem not in released):
        named = file.stem if file.stem in released else None
        try:
            cells = read_cells(file)
            name, notebook, remarks = restored(cells, released, student)
        except Refused as why:
            yield Submission(student, named, None, f"{_shown(file.name)} {why}.")
            seen.add(named or "")
            continue
        if name in seen:
            reasons[f"a second copy of {name}"].append(_shown(file.name))
            continue
        seen.add(name)
        remarks = [f"It was handed in as {_shown(file.name)}."] * (named not in (None, name)) + remarks
        yield Submission(student, name, notebook, " ".join(remarks))
    if not files and not reasons:
        reasons["there is no notebook in it"].append(_shown(paths[0].name))
    for reason, names in reasons.items():
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        yield Submission(student, None, None, f"Not graded: {', '.join(names[:5])}{more} ({reason}).")


def _notebooks_in(path: Path, scratch: Path, depth: int = 0) -> Iterator[tuple[Path, str]]:
    """The files in a folder or archive, however deep; the reason, too, if one can't be graded."""
    opener = _open_zip if ZIP.search(path.name) else _open_tar if TAR.search(path.name) else None
    if path.is_symlink():
        yield path, "a link"
    elif path.is_dir():
        for file in sorted(path.iterdir()):
            if not file.name.startswith((".", "__MACOSX")):
                yield from _notebooks_in(file, scratch, depth)
    elif not path.is_file():
        yield path, "no plain file"
    elif NOTEBOOK.search(path.name):
        yield path, ""
    elif opener and depth < 2:
        yield from _unpacked(path, opener, scratch, depth)
    else:
        yield path, "neither a notebook nor a zip or tar archive"


def _unpacked(archive: Path, opener: Callable, scratch: Path, depth: int) -> Iterator[tuple[Path, str]]:
    """The files in an archive, each in a folder of ours: where the archive says that it belongs is no matter."""
    total = 0
    try:
        for number, (name, open_member) in enumerate(opener(archive)):
            parts = PurePosixPath(name.replace("\\", "/")).parts
            if not parts or any(part.startswith(("__MACOSX", ".")) and part != ".." for part in parts):
                continue
            file = scratch / f"{archive.name}.{number}" / (re.sub(r'[\x00-\x1f<>:"|?*]', "_", parts[-1])[-100:] or "_")
            if number >= MOST_FILES or total > MOST_BYTES:
                yield archive, "it holds too much; what comes first in it is graded"
                return
            if not any(pattern.search(file.name) for pattern in (NOTEBOOK, ZIP, TAR)):
                yield file, "neither a notebook nor a zip or tar archive"
                continue
            try:
                with open_member() as source:
                    content = source.read(LARGEST + 1)  # one byte too many says that it is too large
            except Exception as error:  # damaged bytes raise whatever each format's library does
                yield file, f"can't be unpacked: {_shown(str(error)) or type(error).__name__}"
                continue
            total += len(content)
            file.parent.mkdir(parents=True)
            file.write_bytes(content)
            yield from _notebooks_in(file, file.parent, depth + 1)
    except Exception as error:  # the same
        yield archive, f"can't be unpacked: {_shown(str(error)) or type(error).__name__}"


def _open_zip(path: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                yield member.filename, lambda member=member: archive.open(member)


def _open_tar(path: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    with tarfile.open(path) as archive:
        for member in archive:
            if member.size > LARGEST:  # to go past it would mean to unpack it
                raise CourseError(f"{member.name} in it is larger than {LARGEST // 2**20} MB")
            if member.isfile():
                yield member.name, lambda member=member: archive.extractfile(member)


def _shown(text: str) -> str:
    """A text of a student's that can be printed: without control characters, and not too long."""
    return "".join(character if character.isprintable() else "?" for character in text.rstrip("."))[:200]
