"""Fetching VOC and SBD: what torchvision is asked for, and what a user is told when it fails."""

import pytest
from voc_samples import TRAIN, VAL, write_voc

from course import download_voc
from course.__main__ import main


def test_voc_is_fetched_by_torchvision_into_the_folder(tmp_path, monkeypatch, capsys):
    def fetch(root, year, image_set, download):
        assert (year, download) == ("2007", True)
        write_voc(root, {"train": TRAIN, "val": VAL})

    monkeypatch.setattr(download_voc, "VOCSegmentation", fetch)
    assert main(["data", "voc", "--year", "2007", "--into", str(tmp_path / "voc")]) == 0
    assert "3 validation images of VOC 2007" in capsys.readouterr().out


def test_sbd_is_fetched_once(tmp_path, monkeypatch, capsys):
    def fetch(root, image_set, mode, download):
        assert (mode, download) == ("segmentation", True)
        (root / "val.txt").write_text("")

    monkeypatch.setattr(download_voc, "SBDataset", fetch)
    assert main(["data", "sbd", "--into", str(tmp_path / "sbd")]) == 0
    monkeypatch.setattr(download_voc, "SBDataset", lambda *_, **__: pytest.fail("fetched again"))
    assert main(["data", "sbd", "--into", str(tmp_path / "sbd")]) == 0
    assert "is there already" in capsys.readouterr().out


@pytest.mark.parametrize("error", [OSError("Name or service not known"), RuntimeError("File not found or corrupted.")])
@pytest.mark.parametrize("name", ["voc", "sbd"])
def test_failures_are_one_sentence(tmp_path, monkeypatch, capsys, name, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(download_voc, "VOCSegmentation", fail)
    monkeypatch.setattr(download_voc, "SBDataset", fail)
    assert main(["data", name, "--into", str(tmp_path / name)]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and str(error) in printed and "check the network" in printed


def test_unknown_year(capsys):
    assert main(["data", "voc", "--year", "2013"]) == 2
    assert "choose one of 2007" in capsys.readouterr().err
