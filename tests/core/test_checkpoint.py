"""Weights in and out, against safetensors and torch."""

import hashlib
import os
import shutil
import stat

import pytest
import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from core import checkpoint
from core.checkpoint import (
    fetch_state,
    load_strictly,
    load_weights,
    read_configuration,
    read_state,
    save_weights,
    state_sha256,
)
from core.errors import CourseError


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))


def test_what_is_written_is_what_safetensors_reads(model, tmp_path):
    model.configuration = {"width": 0.5}
    save_weights(model, tmp_path / "whole.safetensors")
    read = load_file(tmp_path / "whole.safetensors")
    assert all(torch.equal(read[name], value) for name, value in model.state_dict().items())
    assert read_configuration(tmp_path / "whole.safetensors") == {"width": 0.5}
    save_weights(model, tmp_path / "half.safetensors", {"other": 1}, half=True)
    half = read_state(tmp_path / "half.safetensors")
    assert half["0.weight"].dtype == torch.float16 and half["1.num_batches_tracked"].dtype == torch.int64
    assert read_configuration(tmp_path / "half.safetensors") == {"other": 1}


def test_both_kinds_of_file(model, tmp_path):
    torch.save(model.state_dict(), tmp_path / "weights.pth")
    other = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    load_weights(other, tmp_path / "weights.pth")
    assert state_sha256(other.state_dict()) == state_sha256(model.state_dict())


def test_permissions_are_those_of_any_new_file(model, tmp_path):
    save_weights(model, tmp_path / "w.safetensors")
    (tmp_path / "any").touch()
    assert stat.S_IMODE((tmp_path / "w.safetensors").stat().st_mode) == stat.S_IMODE((tmp_path / "any").stat().st_mode)


def test_flipped_bits_are_found(model, tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(model, path)
    whole = path.read_bytes()
    for place in range(len(whole) - 200, len(whole), 40):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(CourseError, match="not those that were written"):
            read_state(path)


def test_weights_that_are_not_finite(tmp_path):
    save_weights({"a": torch.tensor([1.0, float("nan")])}, tmp_path / "w.safetensors")
    with pytest.raises(CourseError, match="a in .* is not finite"):
        read_state(tmp_path / "w.safetensors")


def test_what_is_no_file_of_weights(model, tmp_path):
    (tmp_path / "text.safetensors").write_bytes(b"not weights")
    (tmp_path / "text.pth").write_bytes(b"not weights")
    (tmp_path / "folder.pth").mkdir()
    os.mkfifo(tmp_path / "pipe.pth")
    torch.save(nn.Linear(1, 1), tmp_path / "pickled.pth")  # would run code
    torch.save({"model": {"a": torch.ones(1)}}, tmp_path / "nested.pth")
    torch.save([torch.ones(1)], tmp_path / "list.pth")
    for name, words in [
        ("text.safetensors", "not a whole file of weights"),
        ("text.pth", "not a whole file of weights"),
        ("pickled.pth", "not a whole file of weights"),
        ("folder.pth", "not a file"),
        ("pipe.pth", "not a file"),
        ("nested.pth", "no plain state dict"),
        ("list.pth", "no plain state dict"),
        ("missing.pth", "no weights at"),
        ("missing.safetensors", "no weights at"),
    ]:
        with pytest.raises(CourseError, match=words) as raised:
            read_state(tmp_path / name)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("header", ["[1, 2]", "{nothing", "3"])
def test_headers_of_another_form(tmp_path, header):
    save_file({"a": torch.ones(1)}, tmp_path / "w.safetensors", metadata={"configuration": header})
    with pytest.raises(CourseError, match="not a whole file of weights"):
        read_configuration(tmp_path / "w.safetensors")
    with safe_open(tmp_path / "w.safetensors", framework="pt") as file:
        assert file.metadata()["configuration"] == header


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda state: {f"module.{name}": value for name, value in state.items()}, "module.0.weight"),
        (lambda state: {name: value for name, value in state.items() if name != "0.bias"}, "0.bias missing"),
        (lambda state: state | {"0.weight": torch.zeros(1)}, "0.weight of another shape"),
    ],
)
def test_entries_that_do_not_fit_are_named(model, spoil, words):
    with pytest.raises(CourseError, match=words):
        load_strictly(model, spoil(model.state_dict()), source="of the test")


class Fetched:
    """Stands in for the network: a download is a copy of a file."""

    def __init__(self, source):
        self.source = source

    def __call__(self, address, target):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.source, target)


def test_torchvisions_weights_are_held_against_the_hash_in_their_name(model, tmp_path, monkeypatch):
    state = model.state_dict()
    torch.save(state, tmp_path / "x.pth")
    digits = hashlib.sha256((tmp_path / "x.pth").read_bytes()).hexdigest()[:8]
    weights = torchvision.models.ResNet18_Weights.IMAGENET1K_V1
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(checkpoint, "download", Fetched(tmp_path / "x.pth"))
    with pytest.raises(CourseError, match="arrived damaged"):
        fetch_state(weights)
    assert not list((tmp_path / "hub").rglob("*.pth"))

    class Named:
        url = f"https://example.org/models/x-{digits}.pth"

    assert state_sha256(fetch_state(Named)) == state_sha256(state)


def test_no_network_is_said_in_one_sentence(tmp_path, monkeypatch):
    def unreachable(address, target):
        raise CourseError(f"Cannot reach {address}: no route; check the network and run this again.")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(checkpoint, "download", unreachable)
    with pytest.raises(CourseError, match="can't be fetched .* go online once"):
        fetch_state(torchvision.models.VGG16_Weights.IMAGENET1K_V1)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full to stand in for a full disk")
def test_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    model = nn.Linear(300, 300)

    def on_a_full_disk(state, path, **options):
        with open("/dev/full", "wb") as file:
            file.write(b"x" * 100_000)

    monkeypatch.setattr("core.checkpoint.save_file", on_a_full_disk)
    with pytest.raises(CourseError, match="No space left on device; free some space"):
        save_weights(model, tmp_path / "best.safetensors")

    def as_torch_says_it(*arguments):
        raise RuntimeError("unexpected pos 930880 vs 930768")

    monkeypatch.setattr("core.checkpoint.save_file", lambda *arguments, **options: as_torch_says_it())
    with pytest.raises(CourseError, match="free some space"):
        save_weights(model, tmp_path / "best.safetensors")
    assert list(tmp_path.iterdir()) == []
