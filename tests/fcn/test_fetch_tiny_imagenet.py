"""Fetching Tiny ImageNet, from a file of this test's own that stands in for its site."""

import hashlib
import shutil

import pytest
from tiny_imagenet_samples import write_tiny_imagenet

from core.errors import CourseError
from course.__main__ import main
from fcn import fetch


@pytest.fixture
def site(tmp_path, monkeypatch):
    """The archive, under the name that it has at its home."""
    write_tiny_imagenet(tmp_path / "source" / "tiny-imagenet-200", monkeypatch)
    shutil.make_archive(tmp_path / "site" / "tiny-imagenet-200", "zip", tmp_path / "source")
    archive = tmp_path / "site" / "tiny-imagenet-200.zip"
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(fetch, "TINY_IMAGENET", (archive.as_uri(), md5))
    (tmp_path / "data").mkdir()
    return archive


def fetched(tmp_path):
    return main(["data", "tinyimagenet", "--into", str(tmp_path / "data" / "tiny")])


def test_it_is_fetched_once_and_whole(tmp_path, site, capsys):
    assert fetched(tmp_path) == 0
    assert "270 photographs to train on and 6 to validate on" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["tiny"]  # nothing is left of the download
    site.unlink()
    assert fetched(tmp_path) == 0


def test_a_damaged_archive_is_removed_and_the_next_run_downloads_anew(tmp_path, site, capsys):
    whole = site.read_bytes()
    site.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert fetched(tmp_path) == 2
    assert "arrived damaged; run this again" in capsys.readouterr().err
    assert not (tmp_path / "data" / "tiny").exists() and not list((tmp_path / "data").rglob("*.zip"))
    site.write_bytes(whole)
    assert fetched(tmp_path) == 0


def test_it_appears_whole_or_not_at_all(tmp_path, site, monkeypatch, capsys):
    unpack = fetch.extract_archive

    def full(archive, folder):
        unpack(archive, folder)
        (folder / "tiny-imagenet-200" / "wnids.txt").unlink()
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(fetch, "extract_archive", full)
        assert fetched(tmp_path) == 2
    assert "No space left on device" in capsys.readouterr().err and not (tmp_path / "data" / "tiny").exists()
    site.unlink()  # the archive is kept, what was unpacked of it is not
    assert fetched(tmp_path) == 0


def test_a_folder_that_is_not_whole_is_told_and_left_alone(tmp_path, site, capsys):
    (tmp_path / "data" / "tiny" / "tiny-imagenet-200" / "train").mkdir(parents=True)
    assert fetched(tmp_path) == 2
    error = capsys.readouterr().err
    assert "isn't the whole of Tiny ImageNet: wnids.txt is missing" in error and "remove it" in error
    assert not (tmp_path / "data" / ".tiny.download").exists()


def test_a_file_in_its_place(tmp_path, site):
    (tmp_path / "data" / "tiny").write_text("mine")
    with pytest.raises(CourseError, match="is a file; name a folder with --into"):
        fetch.fetch_tiny_imagenet(tmp_path / "data" / "tiny")
