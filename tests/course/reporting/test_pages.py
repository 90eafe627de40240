"""docs/results.md and docs/claims.md are what the templates and the committed records give."""

import pytest

from core.files import ROOT
from course.reporting.pages import PAGES, commands, each, minus, page, times, values


@pytest.mark.parametrize("name", PAGES)
def test_the_committed_page_is_what_the_records_say(name):
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == page(name), "write it anew with `course pages`"


def test_every_claim_has_a_figure_on_drawings():
    rows = [line.split(" | ") for line in page("claims.md").splitlines() if line.startswith("| ")]
    assert len(rows) == 22 and not [row for row in rows if row[4] == "not measured"]


def test_numbers_of_several_seeds():
    runs = values("builtin_seed*/04_fcn8s", "test/mean_iou")
    assert [f"{run:.3f}" for run in runs] == ["0.361", "0.352", "0.351"]
    assert each(times(minus([0.5, 0.25], [0.25, 0.5]), 100), "+.0f") == "+25, -25"


def test_commands_are_told_once_for_all_seeds():
    command = "python -m experiments.localization --seeds N --validation 120 --test 300"
    assert commands("localization/seed*") == f"- `files/results/localization/seed*.json`: `{command}`"
