"""Grading a folder of submissions in two phases, so that what fails in one costs only itself.

Executing knows no gradebook and leaves outputs; scoring runs nothing of a student's and reads them.
"""

import hashlib
import json
import math
import shutil
import tempfile
import uuid
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import nbformat
from tqdm import tqdm

from core.command import Failed
from core.errors import CourseError
from core.files import ROOT, check_writable, write_atomically
from course.notebooks import source as notebooks
from course.teaching.grading import converters, results, sandbox
from course.teaching.grading.apart import apart
from course.teaching.grading.cells import imports_of
from course.teaching.grading.execute import execute
from course.teaching.grading.repair import graded_cells
from course.teaching.grading.submissions import Submission, collect
from course.teaching.release import copy_course, write_source

RUNS = Path("runs") / "builtin"  # where `make run` leaves the records that some notebooks read
SCORING = 300  # seconds, at most, for what runs nothing of a student's


@dataclass(frozen=True)
class Class:
    """What the grading of all students shares.

    Attributes:
        out: the grading's folder, an nbgrader course.
        blank: the blank course, of which each hand-in gets a copy.
        source: the instructors' version of the notebooks.
        after: for each notebook those whose records it reads.
        runs: the folders of records by notebook, for students who don't hand in the notebook that leaves them.
        graded: what was graded before, "student/notebook" → fingerprint and remark.
        mark: by which all processes are known.
        minutes, memory: what a notebook may take, in gigabytes.
    """

    out: Path
    blank: Path
    source: Mapping[str, nbformat.NotebookNode]
    after: Mapping[str, Sequence[str]]
    runs: Mapping[str, Path]
    graded: dict[str, list[str]]
    mark: str
    minutes: float
    memory: float


def grade(
    submissions: str | Path, out: str | Path, jobs: int, minutes: float, memory: float, root: Path = ROOT
) -> results.Summary:
    """Grades all submissions of a folder.

    What was graded into `out` before is kept where neither the submission nor the course has changed; feedback and
    tables are made anew.

    Args:
        submissions: holds a folder or archive for each student.
        out: a new folder, or one of an earlier grading; an nbgrader course.
        jobs: students at a time.
        minutes, memory: what a notebook may take, in gigabytes.
        root: the course's folder.

    Raises:
        CourseError: there is nothing to grade, `out` is something else, a number can't be, or a record is missing that
            a notebook reads.
    """
    submissions, out = Path(submissions).resolve(), Path(out).resolve()
    for option, value in {"--jobs": jobs, "--minutes": minutes, "--memory": memory}.items():
        if not 0 < value < math.inf:
            raise CourseError(f"{option} can't be {value:g}; give a number above 0.")
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "gradebook.db").exists())):
        raise CourseError(f"{out} exists and holds no gradebook of an earlier grading; name a new folder.")
    check_writable(out)
    paths = notebooks.choose([], root / "notebooks")
    for path in paths:
        write_source(path, out / "source" / path.stem / path.name)
    converters.generate(out, [path.stem for path in paths], database=True)
    source, released = (
        {p.stem: notebooks.read(out / of / p.stem / p.name) for p in paths} for of in ("source", "release")
    )
    shutil.copyfile(Path(__file__).parent / "course_config.py", out / "nbgrader_config.py")
    with tempfile.TemporaryDirectory(prefix="grading.") as scratch:
        found = collect(submissions, released, Path(scratch) / "unpacked")
        blank, after = Path(scratch) / "blank", notebooks.dependencies(paths)
        copy_course(root, blank)
        (blank / "notebooks").mkdir()
        for name, notebook in released.items():
            nbformat.write(notebook, blank / "notebooks" / f"{name}.ipynb")
        known = out / "graded.json"
        graded = json.loads(known.read_text(encoding="utf-8")) if known.exists() else {}
        runs, mark = _runs_for(found, after, root), uuid.uuid4().hex
        remarks = _grade_all(found, Class(out, blank, source, after, runs, graded, mark, minutes, memory), jobs)
        with write_atomically(known) as path:
            path.write_text(json.dumps(graded, indent=1), encoding="utf-8")
    handed_in = {each.name for each in found if each.name}
    return results.write(out, remarks, {name: released[name] for name in released if name in handed_in})


def _runs_for(found: Sequence[Submission], after: Mapping[str, Sequence[str]], root: Path) -> dict[str, Path]:
    """The folders of recorded runs that notebooks read whose students didn't hand in the notebooks that leave them.

    Raises:
        CourseError: one isn't there.
    """
    given = {(each.student, each.name) for each in found if each.notebook}
    wanted = sorted({other for student, name in given for other in after[name] if (student, other) not in given})
    missing = [name for name in wanted if not (root / RUNS / name / "results.json").exists()]
    if missing:
        raise CourseError(
            f"Some notebooks that were handed in read the records of {', '.join(missing)}, which are not in "
            f"{RUNS.as_posix()}; run `make run` first."
        )
    return {name: root / RUNS / name for name in wanted}


def _grade_all(found: Sequence[Submission], shared: Class, jobs: int) -> dict[tuple[str, str], str]:
    """The remarks by student and notebook; one without a notebook has an empty name in its place."""
    remarks: dict[tuple[str, str], str] = {}
    for each in found:
        key = each.student, each.name or ""
        remarks[key] = " ".join(filter(None, [remarks.get(key), each.remark]))
    students = {
        student: {each.name: each.notebook for each in group if each.notebook}
        for student, group in groupby(found, key=lambda each: each.student)
    }
    sandbox.has_bubblewrap()  # says so, if there is none
    with ThreadPoolExecutor(jobs) as threads:
        waiting = {threads.submit(_execute_all, student, given, shared): student for student, given in students.items()}
        try:
            for number, future in enumerate(as_completed(waiting), start=1):
                student = waiting[future]
                executed = future.result()
                prints = fingerprints(students[student], shared)
                for name, notebook in students[student].items():
                    remark = _score(student, name, notebook, prints[name], executed.get(name), shared)
                    remarks[student, name] = " ".join(filter(None, [remarks[student, name], remark]))
                tqdm.write(f"[{number}/{len(students)}] {student}")
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            sandbox.end(shared.mark)
            raise
    return remarks


def fingerprints(given: Mapping[str, nbformat.NotebookNode], shared: Class) -> dict[str, str]:
    """For each notebook a hash of all on which its points depend: what was handed in, also of those that it reads, the
    modules of the course and of its grading, the notebook's source, and its hidden tests."""
    modules = hashlib.sha256()
    for path in [*sorted(shared.blank.rglob("*.py")), *sorted(Path(__file__).parent.glob("*.py"))]:
        modules.update(f"{path.name}\n".encode() + path.read_bytes())
    found: dict[str, str] = {}
    for name in sorted(given):
        source = [[cell.id, cell.source] for cell in shared.source[name].cells]
        read = [found.get(other) for other in shared.after[name]]
        text = json.dumps([nbformat.writes(given[name]), source, read, modules.hexdigest()])
        found[name] = hashlib.sha256(text.encode()).hexdigest()
    return found


def _execute_all(
    student: str, given: Mapping[str, nbformat.NotebookNode], shared: Class
) -> dict[str, tuple[nbformat.NotebookNode | None, str]]:
    """Executes those of a student's notebooks that have changed, in the course's order, and those they read.

    Returns:
        By name the executed notebook, or None, and what went wrong.
    """
    prints, done = fingerprints(given, shared), {}
    changed = {name for name in given if shared.graded.get(f"{student}/{name}", [""])[0] != prints[name]}
    wanted = with_what_they_read(changed, shared.after)
    with tempfile.TemporaryDirectory(prefix="grading.", ignore_cleanup_errors=True) as scratch:
        records = Path(scratch) / "runs"
        for name, run in shared.runs.items():  # the student's own take their place where they are handed in, too
            shutil.copytree(run, records / "lab" / name)
        for name in sorted(wanted & given.keys()):
            mark = f"{shared.mark}.{student}/{name}"
            try:
                with sandbox.workplace(shared.blank, mark) as place:
                    _move(records, place / "course" / "runs")
                    notebook = with_checks(given[name], shared.source[name])
                    imports = imports_of(shared.source[name])
                    done[name] = execute(notebook, imports, place, mark, shared.minutes, shared.memory)
                    sandbox.end(mark)
                    _move(place / "course" / "runs", records)
            except (Failed, OSError) as error:
                done[name] = None, f"It was not graded: {error}."
    return done


def _score(
    student: str,
    name: str,
    given: nbformat.NotebookNode,
    fingerprint: str,
    executed: tuple[nbformat.NotebookNode | None, str] | None,
    shared: Class,
) -> str:
    """Writes points and feedback of a notebook; what is to be said of it.

    Args:
        executed: as `_execute_all` gives it; None if it was graded before.
    """
    key, text = f"{student}/{name}", ""
    remark = shared.graded[key][1] if executed is None else executed[1]
    if executed is not None:
        shared.graded.pop(key, None)
        shutil.rmtree(shared.out / "autograded" / student / name, ignore_errors=True)
        if executed[0] is None:
            return remark
        place, text = shared.out / "submitted" / student / name / f"{name}.ipynb", nbformat.writes(executed[0])
        place.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(given, place)
    try:
        problem = apart(converters.score, shared.out, student, name, text, seconds=SCORING, memory=shared.memory)
    except Failed as error:
        problem = f"It was not graded: {error}."
    if not problem:
        shared.graded[key] = [fingerprint, remark]
    return " ".join(filter(None, [remark, problem]))


def _move(folder: Path, target: Path) -> None:
    """Moves a folder of records, if there is one; what a hand-in left is never read or followed."""
    if folder.is_dir() and not folder.is_symlink():
        folder.rename(target)


def with_checks(notebook: nbformat.NotebookNode, source: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A hand-in whose checks hold the hidden tests."""
    notebook, checks = nbformat.from_dict(notebook), graded_cells(source)
    for ident, cell in graded_cells(notebook).items():
        if cell.metadata.nbgrader.locked:
            cell.source = checks[ident].source
    return notebook


def with_what_they_read(names: Collection[str], after: Mapping[str, Sequence[str]]) -> set[str]:
    """Some notebooks and those whose records they read, also through others: what has to run for them to run."""
    found = set(names)
    for name in sorted(after, reverse=True):  # a notebook reads earlier ones alone
        found |= set(after[name]) if name in found else set()
    return found
