"""Fetching VOC and SBD: what torchvision is asked for, what an interruption leaves, and what a user is told."""

from pathlib import Path

import pytest
from torchvision.datasets import SBDataset
from voc_samples import TRAIN, VAL, write_voc

from core.errors import CourseError
from course.__main__ import main
from fcn import fetch


@pytest.fixture(autouse=True)
def downloads(monkeypatch):
    """Stands in for the network: what was asked for is there, and right."""
    asked = []

    def download(address, target):
        asked.append(address)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("archive")

    monkeypatch.setattr(fetch, "download", download)
    monkeypatch.setattr(fetch, "check_integrity", lambda path, md5: True)
    return asked


def test_voc_is_unpacked_by_torchvision_beside_its_folder(tmp_path, monkeypatch, capsys, downloads):
    def unpack(root, year, image_set, download):
        assert (year, download, root) == ("2007", True, tmp_path / ".voc.download")
        write_voc(root, {"train": TRAIN, "val": VAL})

    monkeypatch.setattr(fetch, "VOCSegmentation", unpack)
    assert main(["data", "voc", "--year", "2007", "--into", str(tmp_path / "voc")]) == 0
    assert "3 validation images of VOC 2007" in capsys.readouterr().out
    assert len(downloads) == 1 and [path.name for path in tmp_path.iterdir()] == ["voc"]
    monkeypatch.setattr(fetch, "VOCSegmentation", lambda *_, **__: pytest.fail("fetched again"))
    assert main(["data", "voc", "--year", "2007", "--into", str(tmp_path / "voc")]) == 0
    assert len(downloads) == 1


SBD = ["cls", "img", "inst", "train.txt", "val.txt"]


def unpacked_sbd(root, image_set, mode, download):
    assert (mode, download) == ("segmentation", True)
    for name in SBD:
        if name.endswith(".txt"):
            (root / name).write_text("")
        else:
            (root / name).mkdir()
            (root / name / "2008_1").write_text(name)


def stand_in(monkeypatch, unpack):
    """For torchvision's class, whose addresses stay."""
    methods = {"__new__": lambda cls, *arguments, **options: unpack(*arguments, **options)}
    monkeypatch.setattr(fetch, "SBDataset", type("SBDataset", (fetch.SBDataset,), methods))


def test_sbd_is_fetched_once(tmp_path, monkeypatch, capsys, downloads):
    """The archive alone: torchvision's third list, which nothing reads, isn't to be had any more."""
    stand_in(monkeypatch, unpacked_sbd)
    assert main(["data", "sbd", "--into", str(tmp_path / "sbd")]) == 0
    assert downloads == [SBDataset.url]
    assert sorted(path.name for path in (tmp_path / "sbd").iterdir()) == SBD
    assert main(["data", "sbd", "--into", str(tmp_path / "sbd")]) == 0
    assert "is there already" in capsys.readouterr().out


def test_an_unpacking_that_was_cut_off_is_begun_anew(tmp_path, monkeypatch):
    """torchvision moves SBD's folders one by one; a second try would move cls/ into cls/."""
    work = tmp_path / ".sbd.download"
    (work / "cls" / "half").mkdir(parents=True)
    (work / "img").mkdir()
    stand_in(monkeypatch, unpacked_sbd)
    fetch.fetch_sbd(tmp_path / "sbd")
    assert not list((tmp_path / "sbd").rglob("half")) and not work.exists()


def test_sbd_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    """A run that is killed between two moves leaves nothing that stops the next one."""
    stand_in(monkeypatch, unpacked_sbd)
    move = Path.replace

    def killed_at_the_third(path, target):
        if path.name == "inst":
            raise KeyboardInterrupt
        return move(path, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", killed_at_the_third)
        fetch.fetch_sbd(tmp_path / "sbd")
    assert not (tmp_path / "sbd").exists()
    fetch.fetch_sbd(tmp_path / "sbd")
    assert sorted(path.name for path in (tmp_path / "sbd").iterdir()) == SBD


@pytest.mark.parametrize("name", ["voc", "sbd"])
def test_a_file_or_another_folder_in_the_place_is_told_before_anything_is_downloaded(tmp_path, downloads, name):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder" / "img").mkdir(parents=True)
    for into in ["file", "folder"] if name == "sbd" else ["file"]:
        with pytest.raises(CourseError, match="is a file|isn't the whole of SBD"):
            {"voc": fetch.fetch_voc, "sbd": fetch.fetch_sbd}[name](tmp_path / into)
    assert not downloads and (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("error", [OSError("No space left on device"), RuntimeError("File not found or corrupted.")])
@pytest.mark.parametrize("name", ["voc", "sbd"])
def test_failures_are_one_sentence(tmp_path, monkeypatch, capsys, name, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(fetch, "VOCSegmentation", fail)
    stand_in(monkeypatch, fail)
    assert main(["data", name, "--into", str(tmp_path / name)]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and str(error) in printed and len(printed.splitlines()) == 1


def test_an_archive_that_arrived_damaged_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "check_integrity", lambda path, md5: False)
    with pytest.raises(CourseError, match="VOCtrainval.* arrived damaged; run this again"):
        fetch.fetch_voc(tmp_path / "voc", "2007")
    assert not list(tmp_path.rglob("*.tar"))


def test_unknown_year(capsys):
    assert main(["data", "voc", "--year", "2013"]) == 2
    assert 'There is no year of VOC\'s segmentation "2013"' in capsys.readouterr().err
