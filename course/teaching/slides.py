"""A notebook as slides for a lecture, with its stored outputs: nbconvert makes them, with reveal.js."""

import copy
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from traitlets.config import Config

from core.files import check_writable, write_atomically
from course.notebooks import source as notebooks
from course.notebooks.blanks import blank

HIDDEN = "code-hidden-on-slides"  # the tag of a cell whose figure is shown without its code


def write_slides(names: Sequence[str], out: Path, solutions: bool = False) -> None:
    """Writes a page of slides for each notebook and prints where; none means the whole course."""
    paths = notebooks.choose(names)
    check_writable(out)
    for path in paths:
        page = as_slides(notebooks.read(path), path.stem, solutions)
        with write_atomically(out / f"{path.stem}.slides.html") as file:
            file.write_text(page, encoding="utf-8")
        print(out / f"{path.stem}.slides.html")


def as_slides(notebook: nbformat.NotebookNode, name: str, solutions: bool = False) -> str:
    """The page of slides.

    A headline begins a slide, a figure one below it, without its code. Parameters, imports and checks are left out.

    Args:
        notebook: solved, with stored outputs; it stays as it is.
        name: for messages, and the page's title.
        solutions: show them, each after a click, rather than the blanks without what they put out.

    Raises:
        CourseError: as `course.notebooks.blanks.blank`.
    """
    shown, emptied = copy.deepcopy(notebook), blank(copy.deepcopy(notebook), name)
    for cell, without in zip(shown.cells, emptied.cells, strict=True):
        is_solution = cell.source != without.source
        if is_solution and not solutions:
            cell.source = without.source
            if cell.cell_type == "code":
                cell.outputs = []
        cell.metadata.slideshow = {"slide_type": _slide_type(cell, is_solution, solutions)}
        if _has_figure(cell) and not is_solution:
            cell.metadata.tags = [*cell.metadata.get("tags", []), HIDDEN]
    settings = Config()
    settings.TagRemovePreprocessor.enabled = True
    settings.TagRemovePreprocessor.remove_input_tags = {HIDDEN}
    settings.SlidesExporter.reveal_scroll = True
    page, _ = SlidesExporter(config=settings).from_notebook_node(shown, {"metadata": {"name": name}})
    return page


def _slide_type(cell: nbformat.NotebookNode, is_solution: bool, solutions: bool) -> str:
    """nbconvert's word for a cell's place; "-" is the end of the slide before."""
    if is_solution:
        return "fragment" if solutions else "skip" if cell.cell_type == "markdown" else "-"
    if cell.cell_type == "markdown":
        return "slide" if cell.source.startswith(("# ", "## ")) else "-"
    if _has_figure(cell):
        return "subslide"
    aside = ("import ", "from ", "record = ", "record.save", "expect", "own_work")
    return "skip" if "parameters" in cell.metadata.get("tags", []) or _begins(cell.source, aside) else "-"


def _begins(source: str, words: tuple[str, ...]) -> bool:
    return any(line.lstrip().startswith(words) for line in source.splitlines())


def _has_figure(cell: nbformat.NotebookNode) -> bool:
    pages = [output.get("data", {}).get("text/html", "") for output in cell.get("outputs", [])]
    return any("<img" in "".join(page) for page in pages)
