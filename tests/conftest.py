"""Small facades, and the real data where a folder is given."""

import json
import os
from pathlib import Path

import pytest
from samples import write_pair


@pytest.fixture
def small_facades(tmp_path: Path) -> Path:
    """Six training, two validation and two test pictures of several sizes."""
    root = tmp_path / "facades"
    for number in range(8):
        write_pair(root / "base", f"cmp_b{number + 1:04}", 64 + 3 * number, 96 - 5 * number, number)
    for number in range(2):
        write_pair(root / "extended", f"cmp_x{number + 1:04}", 70, 64, 100 + number)
    (root / "splits.json").write_text(json.dumps({"train": 6, "validation": 2, "test": 2}))
    return root


@pytest.fixture
def real_facades() -> Path:
    """The real CMP Facade Database, in the folder that the environment variable COURSE_DATA names."""
    folder = Path(os.environ.get("COURSE_DATA", "")) / "cmp_facade"
    if "COURSE_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("COURSE_DATA names no folder with cmp_facade/ in it: the real photographs are not tested")
    return folder


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The only servers that tests speak to are their own, and no proxy knows these."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def real_tiny_imagenet() -> Path:
    """Tiny ImageNet, in the folder that the environment variable COURSE_DATA names."""
    folder = Path(os.environ.get("COURSE_DATA", "")) / "tiny-imagenet-200"
    if "COURSE_DATA" not in os.environ or not folder.is_dir():
        pytest.skip(
            "COURSE_DATA names no folder with tiny-imagenet-200/ in it: the small weights' accuracy is not tested"
        )
    return folder
