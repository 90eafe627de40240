"""Records that are read to be compared."""

import pytest
from course_samples import record, write_records

from core.errors import CourseError
from core.record import write_record
from course.records.comparison import comparable, load_runs

NAMES = {"02_first": "first", "03_second": "second"}


def test_runs_that_differ_are_named(tmp_path):
    first, second = record("02_first", width=0.5, init="he"), record("03_second", width=1.0, init="zero")
    second["data"]["sha256"] = "cd" * 32
    write_records(tmp_path, first, second)
    assert comparable(load_runs(tmp_path, NAMES)) == ["width", "data"]


@pytest.mark.parametrize(
    "change", [{"data": None}, {"data": {"name": "builtin"}}, {"notebook": None}, {"notebook": "../elsewhere"}]
)
def test_a_record_that_does_not_say_what_it_is_of(tmp_path, change):
    write_records(tmp_path, record("02_first"), record("03_second"))
    write_record(record("02_first") | change, tmp_path / "02_first" / "results.json")
    with pytest.raises(CourseError, match="of 02_first .* run it again"):
        load_runs(tmp_path, NAMES)
