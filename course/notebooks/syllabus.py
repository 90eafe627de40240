"""What a student is told of each notebook before it: from the notebook's metadata, its cells and the recorded times.

`python -m course.notebooks.syllabus` writes it into the notebooks: the table in 00_start, the line under each title.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from core.errors import CourseError
from core.files import ROOT, write_atomically
from core.record import read_record
from course.notebooks import source as notebooks
from course.notebooks.markers import BEGIN, END
from course.running.environment import RECORDED

START = "00_start"  # what a student opens first
DIFFICULTIES = ("easy", "medium", "hard")
HEAD, TABLE = "**Time** ", "syllabus"  # how the line under a title begins; the tag of the table's cell


@dataclass(frozen=True)
class Entry:
    """A notebook as a student needs it.

    Attributes:
        core: whether it belongs to what everybody does.
        difficulty: one of DIFFICULTIES.
        prerequisites: names of earlier notebooks, and what else one should know.
        reading: what to read beside it.
        exercises, answers: cells of code, and answers in words, that a student writes.
        seconds: what it takes to compute, all blanks filled.
    """

    name: str
    title: str
    core: bool
    difficulty: str
    prerequisites: tuple[str, ...]
    reading: str
    exercises: int
    answers: int
    seconds: float

    @property
    def number(self) -> int:
        return int(self.name[:2])


def syllabus() -> list[Entry]:
    """All notebooks but the first, in order.

    Raises:
        CourseError: a notebook's metadata lack something, or it has no record to take its time from.
    """
    return [_entry(path) for path in notebooks.choose([]) if path.stem != START]


def _entry(path: Path) -> Entry:
    notebook = notebooks.read(path)
    told = notebook.metadata.get("course", {})
    missing = [key for key in ("core", "difficulty", "prerequisites", "reading") if key not in told]
    if missing or told["difficulty"] not in DIFFICULTIES:
        wrong = missing[0] if missing else "difficulty"
        raise CourseError(f"{path.stem} doesn't tell its {wrong} as it must; mend it under metadata, course, {wrong}.")
    written = [cell for cell in notebook.cells if any(_opens(line) for line in cell.source.split("\n"))]
    answers = sum("rubric" in cell.metadata.get("course", {}) for cell in written)
    return Entry(
        path.stem,
        re.match(r"# \d+ · (.+)", notebook.cells[0].source)[1],
        told["core"],
        told["difficulty"],
        tuple(told["prerequisites"]),
        told["reading"],
        len(written) - answers,
        answers,
        seconds(path.stem),
    )


def _opens(line: str) -> bool:
    return BEGIN in line and END not in line


def seconds(name: str, root: Path = ROOT) -> float:
    """What a notebook takes to compute: the fastest of its recorded runs, as whatever else ran only made it longer.

    Raises:
        CourseError: there is none.
    """
    times = [read_record(path)["wall_time"] for path in sorted(root.glob(f"{RECORDED}/{name}.json"))]
    if not times:
        raise CourseError(f"{name} has no record in {RECORDED}; make one: course run {name} --out runs/builtin_seed0")
    return min(times)


def in_words(seconds: float) -> str:
    """A time, to the minute."""
    minutes = round(seconds / 60)
    if seconds < 45:
        return "under a minute"
    return "about a minute" if minutes <= 1 else f"about {minutes} minutes"


def head(entry: Entry) -> str:
    """The line under a notebook's title."""
    return (
        f"{HEAD}{in_words(entry.seconds)} of computing · **Difficulty** {entry.difficulty} · "
        f"**{'Core' if entry.core else 'Elective'}** · **Before it** {_before(entry)}"
    )


def table(entries: list[Entry]) -> str:
    """The course in one table, in Markdown."""
    lines = [
        "| notebook | computing | difficulty | before it | to read | to hand in |",
        "|---|---|---|---|---|---|",
    ]
    for kind, core in (("Core", True), ("Elective", False)):
        chosen = [entry for entry in entries if entry.core == core]
        total = in_words(sum(entry.seconds for entry in chosen))
        lines.append(f"| **{kind}** | {total} together | | | | |")
        lines += [
            f"| [{entry.number} · {entry.title}]({entry.name}.ipynb) | {in_words(entry.seconds)} | "
            f"{entry.difficulty} | {_before(entry)} | {entry.reading} | {_to_hand_in(entry)} |"
            for entry in chosen
        ]
    return "\n".join(lines)


def _before(entry: Entry) -> str:
    names = {path.stem for path in notebooks.FOLDER.glob("*.ipynb")}
    return ", ".join(
        f"[notebook {int(item[:2])}]({item}.ipynb)" if item in names else item for item in entry.prerequisites
    )


def _to_hand_in(entry: Entry) -> str:
    parts = [(entry.exercises, "exercise"), (entry.answers, "answer")]
    return ", ".join(f"{number} {what}{'s' if number > 1 else ''}" for number, what in parts if number)


def with_syllabus(notebook: nbformat.NotebookNode, name: str, entries: list[Entry]) -> nbformat.NotebookNode:
    """The notebook with the line under its title, or the table, as it should be now. It is changed."""
    if name == START:
        (cell,) = (cell for cell in notebook.cells if TABLE in cell.metadata.get("tags", []))
        before = cell.source.split("\n| notebook |")[0].rstrip()
        cell.source = f"{before}\n\n{table(entries)}"
        return notebook
    (entry,) = (entry for entry in entries if entry.name == name)
    first = notebook.cells[0]
    title, *rest = [line for line in first.source.split("\n") if not line.startswith(HEAD)]
    first.source = "\n\n".join([title, head(entry), "\n".join(rest).lstrip("\n")])
    return notebook


def main() -> None:
    """Writes it into every notebook that differs; outputs stay as they are."""
    entries = syllabus()
    for path in notebooks.choose([]):
        notebook = notebooks.read(path)
        before = nbformat.writes(notebook)
        if nbformat.writes(with_syllabus(notebook, path.stem, entries)) != before:
            with write_atomically(path) as temporary:
                nbformat.write(notebook, temporary)
            print(path)


if __name__ == "__main__":
    main()
