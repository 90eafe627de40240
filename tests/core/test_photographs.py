"""Photographs of every kind held against Pillow's pixels."""

import os
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional

from core.errors import CourseError
from core.files import ROOT
from core.photographs import normalise, photograph_size, read_palette, read_photograph

CHELSEA = ROOT / "files" / "photographs" / "chelsea.png"


@pytest.fixture
def colours() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 8, 3), dtype=np.uint8)


def test_exif_rotation_is_applied(tmp_path, colours):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    Image.fromarray(colours).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(read_photograph(tmp_path / "turned.png"), np.rot90(colours, -1))


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGBA", "LA"])
def test_modes_come_out_as_rgb(tmp_path, colours, mode):
    image = Image.fromarray(colours).convert(mode)
    image.save(tmp_path / "image.png")
    assert np.array_equal(read_photograph(tmp_path / "image.png"), np.asarray(image.convert("RGB")))


def test_cmyk(tmp_path, colours):
    image = Image.fromarray(colours).convert("CMYK")
    image.save(tmp_path / "image.tif")
    assert np.array_equal(read_photograph(tmp_path / "image.tif"), np.asarray(image.convert("RGB")))


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    levels = (np.arange(40).reshape(5, 8) * 257 * 6).astype(np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    expected = np.repeat((np.arange(40).reshape(5, 8, 1) * 6).astype(np.uint8), 3, axis=2)
    assert np.array_equal(read_photograph(tmp_path / "deep.png"), expected)


def test_transparency_is_laid_on_white(tmp_path, colours):
    see_through = np.dstack([colours, np.full((5, 8), 255, np.uint8)])
    see_through[0, :, 3] = 0
    Image.fromarray(see_through).save(tmp_path / "glass.png")
    pixels = read_photograph(tmp_path / "glass.png")
    assert (pixels[0] == 255).all() and np.array_equal(pixels[1:], colours[1:])


def _png_header(width: int, height: int) -> bytes:
    """A PNG that announces its size and holds nothing."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + head
        + struct.pack(">I", zlib.crc32(head))
        + (b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT")))
    )


def test_bad_files_say_what_is_wrong(tmp_path, colours):
    (tmp_path / "text.jpg").write_text("no image")
    Image.fromarray(colours.repeat(40, 0).repeat(40, 1)).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:-400])
    (tmp_path / "cut.png").write_bytes(CHELSEA.read_bytes()[:100_000])
    for side in (10_000, 60_000):
        (tmp_path / f"huge{side}.png").write_bytes(_png_header(side, side))
    os.mkfifo(tmp_path / "pipe")  # nobody ever writes to it
    for name, words in [
        ("absent.jpg", "no file"),
        ("text.jpg", "not an image"),
        ("cut.jpg", "cut short"),
        ("cut.png", "cut short"),
        ("huge10000.png", "too large"),
        ("huge60000.png", "too large"),
        (".", "not a file"),
        ("pipe", "not a file"),
    ]:
        for read in (read_photograph, read_palette) if words != "cut short" else (read_photograph,):
            with pytest.raises(CourseError, match=words) as raised:
                read(tmp_path / name)
            assert "\n" not in str(raised.value)


def test_a_label_map_of_colours_is_refused(tmp_path, colours):
    Image.fromarray(colours).save(tmp_path / "colours.png")
    with pytest.raises(CourseError, match="holds colours"):
        read_palette(tmp_path / "colours.png")


def test_size_and_normalisation(tmp_path, colours):
    Image.fromarray(colours).save(tmp_path / "image.png")
    assert photograph_size(tmp_path / "image.png") == (8, 5)
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    expected = functional.normalize(functional.to_tensor(colours.copy()), mean, deviation)
    assert torch.equal(normalise(colours), expected) and torch.equal(normalise(colours[None])[0], expected)
