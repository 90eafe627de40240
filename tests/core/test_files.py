"""Files appear whole or not at all."""

import os
import subprocess
import sys

import pytest

from core.errors import CourseError
from core.files import ROOT, check_writable, read_text, write_atomically


def test_a_target_is_whole_or_as_it_was(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("before")
    with pytest.raises(RuntimeError), write_atomically(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "before" and list(tmp_path.iterdir()) == [target]
    with write_atomically(target) as temporary:
        temporary.write_text("after")
    assert target.read_text() == "after" and list(tmp_path.iterdir()) == [target]


def test_the_first_error_is_the_one_that_is_told(tmp_path, monkeypatch):
    """Removing the temporary may fail as well; that must not hide why."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(CourseError, match="Cannot write .*(Not a directory|File exists)"),
        write_atomically(tmp_path / "file" / "x"),
    ):
        pass


def test_two_targets_of_one_stem_share_no_temporary(tmp_path):
    with write_atomically(tmp_path / "a.png") as first, write_atomically(tmp_path / "a.jpg") as second:
        assert first.with_suffix("") != second.with_suffix("") and first.suffix == ".png"
        first.touch()
        second.touch()


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(CourseError, match="is a folder; name a file in it"), write_atomically(tmp_path):
        pass


def test_what_a_killed_process_left_is_removed(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left, living = tmp_path / f".file.txt.{ended.pid}.txt", tmp_path / f".file.txt.{os.getppid()}.txt"
    left.touch()
    living.touch()
    with write_atomically(tmp_path / "file.txt") as temporary:
        temporary.write_text("new")
    assert not left.exists() and living.exists()


def test_a_folder_is_tried_before_long_work(tmp_path):
    check_writable(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(CourseError, match="Cannot write to .*; name another folder"):
        check_writable(tmp_path / "file")


def test_the_course_is_found_from_the_working_folder(tmp_path):
    """As it must be where the packages are installed apart from the notebooks."""
    apart = tmp_path / "site-packages" / "core"
    apart.mkdir(parents=True)
    for name in ("__init__.py", "errors.py", "files.py"):
        (apart / name).write_text((ROOT / "core" / name).read_text())
    (tmp_path / "course" / "notebooks").mkdir(parents=True)
    (tmp_path / "course" / "files").mkdir()
    code = "from core.files import ROOT; print(ROOT)"
    for folder in ("course", "course/notebooks"):
        found = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path / folder,
            env=os.environ | {"PYTHONPATH": str(apart.parent)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout.strip() == str(tmp_path / "course")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_text_written_by_hand_is_read_whatever_its_encoding_and_composed(tmp_path, encoding):
    (tmp_path / "names").write_bytes("Jo\u0308rg\nZoé\n".encode(encoding))
    assert read_text(tmp_path / "names") == "Jörg\nZoé\n"


def test_what_is_no_text_is_told(tmp_path):
    (tmp_path / "names").write_bytes("Jörg".encode("latin-1"))
    for path, words in ((tmp_path / "names", "save it as UTF-8"), (tmp_path / "none", "No such file")):
        with pytest.raises(CourseError, match=f"Cannot read .*{path.name}: .*{words}"):
            read_text(path)
