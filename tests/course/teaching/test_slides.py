"""Slides: what begins one, what is left out, and that solutions are shown only when asked for."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course.cli import main
from course.teaching.slides import as_slides

FIGURE = new_output("display_data", data={"text/html": '<img alt="a curve" src="data:,">'})


@pytest.fixture
def notebook():
    parameters = new_code_cell("seed = 0")
    parameters.metadata.tags = ["parameters"]
    blank = new_code_cell("# *START OF YOUR CODE: a number\nanswer = 6 * 7\n# *END OF YOUR CODE\nprint(answer)")
    blank.outputs = [new_output("stream", text="forty-two")]
    check = new_code_cell('expect(answer == 42, "No.")')
    in_words = new_markdown_cell("*START OF YOUR CODE (an answer in words)\n\nXylophone.\n\n*END OF YOUR CODE")
    figure = new_code_cell("draw_curve()", outputs=[FIGURE])
    title, section = new_markdown_cell("# Title"), new_markdown_cell("## Section")
    found = new_notebook(cells=[title, parameters, section, new_markdown_cell("Text."), blank, check, in_words, figure])
    found.metadata.course = {"regions": 2}
    return found


def slides(page: str) -> list[str]:
    body = page[page.index('class="slides"') :]
    return re.split(r"<section>(?!<section>)", body)[1:]


def test_a_headline_begins_a_slide_and_a_figure_one_below_it_without_its_code(notebook):
    title, section, figure = slides(as_slides(notebook, "short"))
    assert "Title" in title and "Section" in section and "Text." in section
    assert 'alt="a curve"' in figure and "draw_curve" not in figure
    assert not re.search("seed|expect", title + section + figure)


def test_solutions_are_blanks_unless_asked_for(notebook):
    page = as_slides(notebook, "short")
    assert "NotImplementedError" in page and not re.search("forty-two|Xylophone", page)
    page = as_slides(notebook, "short", solutions=True)
    assert "forty-two" in page and "Xylophone." in page and page.count('class="fragment"') == 2
    assert "NotImplementedError" not in page and notebook.cells[4].outputs


def test_the_command_writes_a_page_for_a_notebook(tmp_path, capsys):
    assert main(["slides", str(tmp_path), "06_cam"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / '06_cam.slides.html'}\n"
    assert len(slides((tmp_path / "06_cam.slides.html").read_text())) > 10
    assert main(["slides", str(tmp_path), "06_cm"]) == 2 and "06_cam" in capsys.readouterr().err
