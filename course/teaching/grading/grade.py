"""Grading a folder of submissions with nbgrader, side by side, so that what fails in one costs only itself."""

import shutil
import tempfile
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import groupby
from pathlib import Path

import nbformat
from tqdm import tqdm

from core.errors import CourseError
from core.files import ROOT, check_writable
from course.notebooks import source as notebooks
from course.teaching.grading import converters, results
from course.teaching.grading.job import Job
from course.teaching.grading.submissions import Submission, collect
from course.teaching.release import copy_course, write_source

RUNS = Path("runs") / "builtin"  # where `make run` leaves the records that some notebooks read


def grade(
    submissions: str | Path, out: str | Path, jobs: int, minutes: float, memory: float, root: Path = ROOT
) -> results.Summary:
    """Grades all submissions of a folder.

    What was graded into `out` before is kept where the submission is the same; feedback and tables are made anew.

    Args:
        submissions: holds a folder or zip for each student.
        out: a new folder, or one of an earlier grading; an nbgrader course.
        jobs: students at a time.
        minutes, memory: what a notebook may take, in gigabytes.
        root: the course's folder.

    Raises:
        CourseError: there is nothing to grade, `out` is something else, or a record is missing that a notebook reads.
    """
    submissions, out = Path(submissions).resolve(), Path(out).resolve()
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "gradebook.db").exists())):
        raise CourseError(f"{out} exists and holds no gradebook of an earlier grading; name a new folder.")
    check_writable(out)
    paths = notebooks.choose([], root / "notebooks")
    names, after = [path.stem for path in paths], notebooks.dependencies(paths)
    for path in paths:
        write_source(path, out / "source" / path.stem / path.name)
    converters.generate(out, names, database=True)
    released = {name: notebooks.read(out / "release" / name / f"{name}.ipynb") for name in names}
    shutil.copyfile(Path(__file__).parent / "course_config.py", out / "nbgrader_config.py")
    with tempfile.TemporaryDirectory(prefix="grading.") as scratch:
        found = collect(submissions, released, Path(scratch) / "unpacked")
        handed_in = {each.name for each in found if each.notebook}
        runs = _runs_for(found, after, root)
        blank = Path(scratch) / "blank"
        copy_course(root, blank)
        (blank / "notebooks").mkdir()
        for name, notebook in released.items():
            nbformat.write(notebook, blank / "notebooks" / f"{name}.ipynb")
        remarks = _grade_all(found, out, Path(scratch), blank, runs, after, jobs, minutes, memory)
    return results.write(out, remarks, {name: released[name] for name in names if name in handed_in})


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


def _grade_all(
    found: Sequence[Submission],
    out: Path,
    scratch: Path,
    blank: Path,
    runs: Mapping[str, Path],
    after: Mapping[str, Sequence[str]],
    jobs: int,
    minutes: float,
    memory: float,
) -> dict[tuple[str, str], str]:
    """The remarks by student and notebook; one without a notebook has an empty name in its place."""
    remarks: dict[tuple[str, str], str] = {}
    for each in found:
        key = each.student, each.name or ""
        remarks[key] = " ".join(filter(None, [remarks.get(key), each.remark]))
    students = {
        student: [each for each in group if each.notebook]
        for student, group in groupby(found, key=lambda each: each.student)
    }
    with ThreadPoolExecutor(jobs) as threads:
        waiting = {
            threads.submit(
                _grade_student, student, given, out, scratch / "students" / student, blank, runs, after, minutes, memory
            ): student
            for student, given in students.items()
        }
        for number, future in enumerate(as_completed(waiting), start=1):
            student = waiting[future]
            for name, problem in future.result().items():
                remarks[student, name] = " ".join(filter(None, [remarks[student, name], problem]))
            tqdm.write(f"[{number}/{len(students)}] {student}")
    return remarks


def _grade_student(
    student: str,
    given: Sequence[Submission],
    out: Path,
    workplace: Path,
    blank: Path,
    runs: Mapping[str, Path],
    after: Mapping[str, Sequence[str]],
    minutes: float,
    memory: float,
) -> dict[str, str]:
    """Grades a student's notebooks in the course's order, in a folder of their own; what went wrong, by notebook."""
    problems: dict[str, str] = {}
    if not given:
        return problems
    try:
        shutil.copytree(blank, workplace / "course")
        for name, run in runs.items():  # the student's own take their place where they are handed in, too
            shutil.copytree(run, workplace / "autograded" / student / "runs" / "lab" / name)
        texts = {each.name: nbformat.writes(each.notebook) for each in sorted(given, key=lambda each: each.name)}
        kept = {name: out / "submitted" / student / name / f"{name}.ipynb" for name in texts}
        graded = {name: out / "autograded" / student / name / f"{name}.ipynb" for name in texts}
        anew = {
            name
            for name, text in texts.items()
            if not (graded[name].exists() and kept[name].exists() and kept[name].read_text("utf-8") == text)
        }
        for name in with_what_they_read(anew, after):
            shutil.rmtree(out / "autograded" / student / name, ignore_errors=True)
        for name, text in texts.items():
            for place in (kept[name], workplace / "submitted" / student / name / f"{name}.ipynb"):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text, encoding="utf-8")
            problems[name] = Job(student, name, str(out), str(workplace), minutes, memory).run()
    except OSError as error:
        problems |= {each.name: f"It was not graded: {error}." for each in given if each.name not in problems}
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
    return problems


def with_what_they_read(names: Collection[str], after: Mapping[str, Sequence[str]]) -> set[str]:
    """Some notebooks and those whose records they read, also through others: what has to run for them to run."""
    found = set(names)
    for name in sorted(after, reverse=True):  # a notebook reads earlier ones alone
        found |= set(after[name]) if name in found else set()
    return found
