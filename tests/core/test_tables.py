"""core.tables: no text in a CSV file is a formula."""

import pytest

from core.tables import csv_safe


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(1)", "\t=1", "\r=1"])
def test_text_that_begins_like_a_formula_is_quoted(text):
    assert csv_safe(text) == f"'{text}"


@pytest.mark.parametrize("value", ["", "Ada", "1=1", -0.5, None])
def test_everything_else_stays(value):
    assert csv_safe(value) is value
