"""Fetching VOC and SBD: what torchvision is asked for, what an interruption leaves, and what a user is told."""

import pytest
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


def unpacked_sbd(root, image_set, mode, download):
    assert (mode, download) == ("segmentation", True)
    (root / "cls").mkdir()
    (root / "img").mkdir()
    (root / "val.txt").write_text("")


def stand_in(monkeypatch, unpack):
    """For torchvision's class, whose addresses stay."""
    methods = {"__new__": lambda cls, *arguments, **options: unpack(*arguments, **options)}
    monkeypatch.setattr(fetch, "SBDataset", type("SBDataset", (fetch.SBDataset,), methods))


def test_sbd_is_fetched_once(tmp_path, monkeypatch, capsys):
    stand_in(monkeypatch, unpacked_sbd)
    assert main(["data", "sbd", "--into", str(tmp_path / "sbd")]) == 0
    assert sorted(path.name for path in (tmp_path / "sbd").iterdir()) == ["cls", "img", "train_noval.txt", "val.txt"]
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
