"""course.notebooks.names: what a cell defines, and by which name a check finds it."""

import pytest

from core.errors import CourseError
from course.notebooks.names import subject


def test_a_check_finds_a_cell_by_what_it_uses_of_it():
    assert subject("a = 1\nb, c = 2, 3", "expect(c == 3, 'no')") == "c"


def test_a_check_that_uses_nothing_of_its_blank_is_told():
    with pytest.raises(CourseError, match=r'"expect\(True, 1\)" uses nothing that the blank above it defines \(a, b\)'):
        subject("b = 1\na = 2", "expect(True, 1)")
