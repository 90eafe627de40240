"""Photographs of every kind held against Pillow's pixels and torchvision's preset."""

import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models import ResNet18_Weights

from cam.view import View, centre_view, look, read_photograph
from core.errors import CourseError
from core.files import ROOT

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
    Image.fromarray(colours[:1, :1]).save(tmp_path / "dot.png")
    Image.new("RGB", (30, 20), "grey").save(tmp_path / "grey.png")
    for side in (10_000, 60_000):
        (tmp_path / f"huge{side}.png").write_bytes(_png_header(side, side))
    for name, words in [
        ("absent.jpg", "no photograph"),
        ("text.jpg", "not an image"),
        ("cut.jpg", "cut short"),
        ("cut.png", "cut short"),
        ("dot.png", "1 × 1"),
        ("grey.png", "one colour"),
        ("huge10000.png", "too large"),
        ("huge60000.png", "too large"),
        (".", "cannot be read"),
    ]:
        with pytest.raises(CourseError, match=words) as raised:
            read_photograph(tmp_path / name)
        assert "\n" not in str(raised.value)


def test_the_network_sees_what_torchvisions_preset_shows():
    photograph = read_photograph(CHELSEA)
    preset = ResNet18_Weights.IMAGENET1K_V1.transforms()(Image.fromarray(photograph))
    seen = look(photograph, centre_view(photograph))[0]
    assert seen.shape == preset.shape == (3, 224, 224)
    assert (seen - preset).abs().mean() < 0.03  # in units of the channels' deviation


def test_the_view_knows_where_its_pixels_came_from():
    """A white dot in the photograph is found again, from the pixel the network saw it at."""
    photograph = np.zeros((300, 500, 3), np.uint8)
    photograph[100:108, 200:208] = 255
    view = centre_view(photograph)
    bright = look(photograph, view)[0, 0].double()
    bright = bright - bright.min()
    at = (
        (bright.sum(0) * torch.arange(224)).sum() / bright.sum(),
        (bright.sum(1) * torch.arange(224)).sum() / bright.sum(),
    )
    middle_column = np.interp(203.5, np.arange(500), view.columns(500))
    middle_row = np.interp(103.5, np.arange(300), view.rows(300))
    assert at[0] == pytest.approx(middle_column, abs=0.05) and at[1] == pytest.approx(middle_row, abs=0.05)


def test_a_view_without_scaling_leaves_pixels_where_they_are():
    assert np.array_equal(View(left=10, top=0, side=20, size=20).columns(40), np.arange(40) - 10)


def test_a_long_thin_photograph_is_seen_at_once():
    thin = np.random.default_rng(0).integers(0, 256, (4, 20_000, 3), dtype=np.uint8)
    assert look(thin, centre_view(thin)).shape == (1, 3, 224, 224)
