"""A sentence about scores has to be true with a notebook's own parameters, and may not be with others."""

import pytest
from course_samples import START, write_notebook

from course.checks import CheckFailed, relation
from course.notebooks import source as notebooks
from course.records.record import Record

NAME, SENTENCE = "02_first", "FCN-8s is ahead"


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Begins the record of a notebook with these values of its parameters."""
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path / "notebooks")
    write_notebook(notebooks.FOLDER, NAME, START, parameters='epochs = 3\nseed = 0\nout = "../runs/lab"')
    return lambda **values: Record.start(NAME, tmp_path, {"epochs": 3, "seed": 0, "out": str(tmp_path)} | values)


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_true_sentence_is_printed(start, epochs, capsys):
    relation(start(epochs=epochs), True, SENTENCE)
    assert capsys.readouterr().out == f"{SENTENCE}\n"


def test_with_the_notebooks_own_parameters_it_has_to_be_true(start):
    with pytest.raises(CheckFailed, match=f"they should: {SENTENCE}"):
        relation(start(), False, SENTENCE)
    with pytest.raises(CheckFailed):
        relation(start(), False, SENTENCE, [{"notebook": NAME, "parameters": {"epochs": 3, "seed": 0}}])


@pytest.mark.parametrize("values", [{"epochs": 1}, {"seed": 7}])
def test_with_others_it_may_not_be(start, values, capsys):
    relation(start(**values), False, SENTENCE)
    relation(start(), False, SENTENCE, [{"notebook": NAME, "parameters": {"epochs": 3, "seed": 0} | values}])
    assert capsys.readouterr().out == f"Not so in this run: {SENTENCE}\n" * 2
