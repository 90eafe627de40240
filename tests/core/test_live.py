"""Live curves, as a notebook's front end gets them."""

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from core.files import ROOT

TRAINING = """from course_samples import record
from core.live import LiveCurves
history = record("02", 0, [0.1, 0.2, 0.3])["history"]
with LiveCurves(3) as live:
    for epoch in (1, 2, 3):
        live.draw([entry | {"seconds": SECONDS} for entry in history[:epoch]])
"""


def messages(seconds: float, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Kind and HTML of what the kernel displays."""
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'tests'}")
    notebook = new_notebook(cells=[new_code_cell(TRAINING.replace("SECONDS", str(seconds)))])
    found = []
    client = NotebookClient(notebook, kernel_name="python3")
    process = client.process_message

    def note(message, cell, index):
        if message["msg_type"] in ("display_data", "update_display_data"):
            found.append((message["msg_type"], message["content"]["data"]["text/html"]))
        return process(message, cell, index)

    client.process_message = note
    client.execute()
    nbformat.validate(notebook)
    return found


def test_a_long_training_draws_its_curves_after_each_epoch_and_takes_them_away(monkeypatch):
    monkeypatch.delenv("COURSE_COMMAND", raising=False)
    (first, *others, end) = messages(11.0, monkeypatch)
    assert first[0] == "display_data" and "1 of 3 epochs, validation mean IoU 0.100" in first[1]
    assert [kind for kind, _ in others] == ["update_display_data"] * 2 and "3 of 3 epochs" in others[-1][1]
    assert all("<img" in html for _, html in (first, *others)) and end == ("update_display_data", "")


@pytest.mark.parametrize("seconds, command", [(9.0, None), (11.0, "python -m course run")])
def test_a_short_training_and_one_that_nobody_watches_draw_none(seconds, command, monkeypatch):
    monkeypatch.delenv("COURSE_COMMAND", raising=False)
    if command:
        monkeypatch.setenv("COURSE_COMMAND", command)
    assert messages(seconds, monkeypatch) == []
