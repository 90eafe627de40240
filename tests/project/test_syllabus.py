"""What a student is told before a notebook has one source, and every link in the notebooks leads somewhere."""

import copy
import re

import pytest

from core.files import ROOT
from course.notebooks import source as notebooks
from course.notebooks.syllabus import START, in_words, seconds, syllabus, with_syllabus

PATHS = notebooks.choose([])
TEXTS = {
    path.stem: [cell.source for cell in notebooks.read(path).cells if cell.cell_type == "markdown"] for path in PATHS
}
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")


def anchors(page: str) -> set[str]:
    """The headings' anchors, as web sites of Markdown make them."""
    headings = re.findall(r"(?m)^#+ (.+)$", page)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(scope="module")
def entries():
    return syllabus()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_line_under_the_title_and_the_table_are_those_of_the_metadata_and_records(path, entries):
    notebook = notebooks.read(path)
    told = with_syllabus(copy.deepcopy(notebook), path.stem, entries)
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in told.cells], (
        "bring it up to date with: python -m course.notebooks.syllabus"
    )


def test_each_notebook_links_to_the_next_and_the_last_to_the_start():
    for path, following in zip(PATHS, [*PATHS[1:], PATHS[0]]):
        assert f"]({following.name})" in TEXTS[path.stem][-1].split("\n")[-1], path.stem


def test_what_comes_before_a_notebook_is_earlier_and_holds_whose_records_it_reads(entries):
    before: dict[str, set[str]] = {}
    for entry in entries:
        names = {item for item in entry.prerequisites if re.match(r"\d\d_", item)}
        assert names <= before.keys(), entry.name
        before[entry.name] = names.union(*(before[name] for name in names))
    for name, after in notebooks.dependencies(PATHS).items():
        assert set(after) <= before.get(name, set()), name
    assert [entry.name for entry in entries if entry.core] == [entry.name for entry in entries][:7]


def test_links_in_the_notebooks_lead_somewhere():
    linked = set()
    for name, texts in TEXTS.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", "\n".join(texts)):
            if target.startswith("http"):
                continue
            file, _, anchor = target.partition("#")
            page = notebooks.FOLDER / file
            assert page.is_file(), f"{name}: {target}"
            if anchor:
                assert anchor in anchors(page.read_text(encoding="utf-8")), f"{name}: {target}"
                linked |= {anchor} if page.name == "glossary.md" else set()
    assert anchors(GLOSSARY) - linked == {"glossary"}


def test_the_glossary_says_which_notebook_links_a_word_first():
    for word, text in re.findall(r"(?m)^## (.+)\n\n((?:.+\n)+)", GLOSSARY):
        (anchor,) = anchors(f"## {word}")
        first = min(name for name, texts in TEXTS.items() if f"glossary.md#{anchor})" in "\n".join(texts))
        assert text.rstrip().endswith(f"({int(first[:2])})"), word


@pytest.mark.parametrize(
    "time, words", [(20, "under a minute"), (61, "about a minute"), (89, "about a minute"), (100, "about 2 minutes")]
)
def test_times_are_told_to_the_minute(time, words):
    assert in_words(time) == words


def test_the_start_is_no_entry_and_times_are_those_of_records(entries):
    assert PATHS[0].stem == START and len(entries) == len(PATHS) - 1
    assert all(entry.seconds == seconds(entry.name) for entry in entries)
