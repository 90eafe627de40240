"""Variants by student: a seed from the student's name, in each notebook that draws anything.

Students with unlike seeds get unlike scores. All checks hold with each of the seeds: the course has been recorded
with them (files/results/builtin_seed0 to 2).
"""

import re
import zlib

import nbformat

SEEDS = 3
LINE = re.compile(r"^seed = (\d{1,9})\b", re.MULTILINE)


def seed_of(student: str) -> int:
    """The student's seed: 0, 1 or 2.

    Args:
        student: the name, as `course.teaching.grading.submissions.student_name` gives it.
    """
    return zlib.crc32(student.encode()) % SEEDS


def set_seed(notebook: nbformat.NotebookNode, seed: int) -> None:
    """Gives a notebook another seed, if it has one among its parameters."""
    for cell in _parameters(notebook):
        cell.source = LINE.sub(f"seed = {seed}", cell.source)


def seed_in(notebook: nbformat.NotebookNode) -> int | None:
    """The seed among a notebook's parameters, if there is one that is a number."""
    found = [match for cell in _parameters(notebook) if (match := LINE.search(cell.source))]
    return int(found[0][1]) if found else None


def _parameters(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
