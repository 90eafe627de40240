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
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = LINE.sub(f"seed = {seed}", cell.source)


def seed_in(parameters: str) -> int | None:
    """The seed in the source of a cell of parameters, if there is one that is a number."""
    found = LINE.search(parameters)
    return int(found[1]) if found else None
