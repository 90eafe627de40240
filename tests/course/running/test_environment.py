"""course.running.environment: a sentence with its remedy for each thing that is wrong with a machine."""

import importlib.metadata
import json
from types import SimpleNamespace

import psutil
import pytest
from course_samples import record, write_records

from core.errors import CourseError
from course.running import environment


def test_a_machine_that_has_everything_has_no_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "notebooks", SimpleNamespace(FOLDER=tmp_path))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=8 * 2**30))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert environment.problems(tmp_path / "runs" / "lab") == []


def test_packages_that_are_missing_or_others_are_named_with_what_to_do(monkeypatch):
    wanted = ["torch", "Pillow>=1", "some_package; python_version > '3'", 'ruff; extra == "test"', "unpinned"]
    there = {"torch": "2.15.0+cpu", "pillow": "12.0.0"}

    def version(name):
        if name not in there:
            raise importlib.metadata.PackageNotFoundError(name)
        return there[name]

    monkeypatch.setattr(importlib.metadata, "requires", lambda name: wanted)
    monkeypatch.setattr(importlib.metadata, "version", version)
    found = environment._versions("# pins\ntorch==2.15.0\npillow==13.0.0\nsome-package==1.0\nruff==0.1\n")
    assert found == [
        "pillow is 12.0.0, and the course was tested with 13.0.0: make the environment anew with `make clean lab`.",
        "The package some-package is missing: make the environment anew with `make clean lab`.",
    ]


@pytest.mark.parametrize(
    "wanted, cores, says",
    [
        (None, 2, ""),
        ("2", 2, ""),
        ("8", 2, "OMP_NUM_THREADS is 8 on 2 cores, so threads wait for each other: set it to 2."),
        ("many", 4, 'OMP_NUM_THREADS is "many", which is no number of threads: set it to 4, or leave it out.'),
    ],
)
def test_threads_that_would_wait_for_each_other_are_told(wanted, cores, says):
    assert "".join(environment._threads(wanted, cores)) == says


def test_little_memory_and_little_disk_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2**29))
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda folder: SimpleNamespace(free=2**28))
    memory, disk = environment._space(tmp_path / "not" / "there")
    assert memory == "0.5 GiB of memory are free, and a notebook can take 3: close other programs."
    assert disk == "0.2 GiB of disk are free, the notebooks may write 1: free some."


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path, monkeypatch):
    def refuse(folder):
        raise CourseError(f"Cannot write to {folder}: Permission denied; name another folder.")

    monkeypatch.setattr(environment, "check_writable", refuse)
    assert environment._unwritable(("runs",)) == [
        "Cannot write to runs: Permission denied: copy the course's folder to a place of your own."
    ]


def test_a_package_that_cannot_be_imported_is_told(tmp_path, monkeypatch):
    (tmp_path / "broken_pair.py").write_text("raise RuntimeError('operator does not exist\\nand more')")
    monkeypatch.syspath_prepend(tmp_path)
    assert environment.import_slowly("json") == []
    (sentence,) = environment.import_slowly("broken_pair")
    assert sentence.startswith("broken_pair can't be imported (RuntimeError: operator does not exist): make")


def test_speed_is_the_ratio_of_the_seconds_of_like_trainings(tmp_path):
    recorded = tmp_path / "files" / "results" / "builtin_seed0" / "02_facades.json"
    recorded.parent.mkdir(parents=True)
    recorded.write_text(json.dumps(record("02_facades", validation=[0.1, 0.2])))  # one second an epoch
    assert "run notebook 1" in environment.speed(tmp_path / "lab", tmp_path)
    own = record("02_facades", validation=[0.1, 0.2])
    for epoch in own["history"]:
        epoch["seconds"] = 2.5
    write_records(tmp_path / "lab", own)
    assert "2.5 times as long here as recorded, by notebook 2" in environment.speed(tmp_path / "lab", tmp_path)
    write_records(tmp_path / "lab", own | {"parameters": {"epochs": 9}})
    assert "run notebook 1" in environment.speed(tmp_path / "lab", tmp_path)
