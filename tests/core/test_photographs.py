"""Photographs of every kind held against Pillow's pixels."""

import os
import struct
import zlib

import cv2
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


def test_floats_are_scaled(tmp_path):
    levels = np.linspace(0, 1, 40, dtype=np.float32).reshape(5, 8)
    Image.fromarray(levels).save(tmp_path / "float.tif")
    assert np.array_equal(read_photograph(tmp_path / "float.tif")[..., 1], np.round(levels * 255).astype(np.uint8))


@pytest.mark.parametrize("dtype, top", [(np.int32, 2**20), (np.int32, 200), (np.uint16, 4095), (np.float32, 4000)])
def test_levels_that_may_mean_anything_are_refused_not_black(tmp_path, dtype, top):
    Image.fromarray(np.linspace(0, top, 40).reshape(5, 8).astype(dtype)).save(tmp_path / "grey.tif")
    with pytest.raises(
        CourseError, match=f"grey.tif holds grey levels from 0 to .*{str(top)[:2]}.*save it with 8 bits"
    ):
        read_photograph(tmp_path / "grey.tif")


def test_twelve_bits_in_sixteen_in_colour(tmp_path):
    cv2.imwrite(str(tmp_path / "twelve.png"), np.full((5, 8, 3), 4000, np.uint16))
    with pytest.raises(CourseError, match="only 12 of its 16 bits"):
        read_photograph(tmp_path / "twelve.png")
    cv2.imwrite(str(tmp_path / "sixteen.png"), np.full((5, 8, 3), 40000, np.uint16))
    assert (read_photograph(tmp_path / "sixteen.png") == 40000 >> 8).all()


@pytest.mark.parametrize("kind", ["jpg", "png"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_a_large_photograph_is_reduced_as_it_is_decoded(tmp_path, colours, kind, turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.fromarray(colours).resize((640, 400), Image.Resampling.BICUBIC).save(tmp_path / f"x.{kind}", exif=exif)
    whole, reduced = read_photograph(tmp_path / f"x.{kind}"), read_photograph(tmp_path / f"x.{kind}", shorter=90)
    averaged = cv2.resize(whole, reduced.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert min(reduced.shape[:2]) == 100 and reduced.shape[0] / reduced.shape[1] == whole.shape[0] / whole.shape[1]
    assert np.abs(averaged.astype(int) - reduced).mean() < 2
    assert photograph_size(tmp_path / f"x.{kind}") == whole.shape[1::-1]
    assert np.array_equal(read_photograph(tmp_path / f"x.{kind}", shorter=300), whole)


def test_an_odd_exif_entry_does_not_matter(tmp_path, colours):
    """Pillow can't write such EXIF again, which its own turning of photographs does."""
    Image.fromarray(colours).save(tmp_path / "odd.png")
    entries = [(0x0112, 3, 1, 6), (0x0128, 4, 1, 70_000)]  # the resolution unit as a long number
    tiff = (
        b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries) + bytes(4)
    )
    Image.fromarray(colours).save(tmp_path / "odd.jpg", quality=100, exif=b"Exif\0\0" + tiff)
    Image.fromarray(colours).save(tmp_path / "plain.jpg", quality=100)
    assert np.array_equal(read_photograph(tmp_path / "odd.jpg"), np.rot90(read_photograph(tmp_path / "plain.jpg"), -1))


@pytest.mark.parametrize("kind", ["jpg", "png", "gif", "bmp", "tif", "webp", "avif", "dds", "ico", "tga", "ppm", "pcx"])
def test_whatever_byte_is_wrong_it_is_one_sentence(tmp_path, kind):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    try:
        Image.fromarray(pixels).save(tmp_path / f"x.{kind}")
    except (OSError, KeyError, ValueError):
        pytest.skip(f"this Pillow writes no {kind}")
    whole, rng = (tmp_path / f"x.{kind}").read_bytes(), np.random.default_rng(1)
    for number in range(60):
        content = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 200 if number % 2 else len(whole)), 3):
            content[place] = rng.integers(0, 256)
        (tmp_path / f"x.{kind}").write_bytes(content if number % 3 else content[: rng.integers(1, len(content))])
        try:
            read_photograph(tmp_path / f"x.{kind}")
        except CourseError as error:
            assert "\n" not in str(error)


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


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "I;16"])
def test_a_label_map_of_colours_is_refused(tmp_path, colours, mode):
    (Image.new(mode, (8, 5)) if ";" in mode else Image.fromarray(colours).convert(mode)).save(tmp_path / "colours.png")
    with pytest.raises(CourseError, match="holds colours"):
        read_palette(tmp_path / "colours.png")


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF", "TIFF"])
def test_a_label_map_is_a_png_by_its_content_not_by_its_name(tmp_path, kind):
    Image.fromarray(np.full((5, 8), 3, np.uint8)).save(tmp_path / "label.png", kind)
    with pytest.raises(CourseError, match=f"is a {kind} file, not PNG"):
        read_palette(tmp_path / "label.png")


def test_size_and_normalisation(tmp_path, colours):
    Image.fromarray(colours).save(tmp_path / "image.png")
    assert photograph_size(tmp_path / "image.png") == (8, 5)
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    expected = functional.normalize(functional.to_tensor(colours.copy()), mean, deviation)
    assert torch.equal(normalise(colours), expected) and torch.equal(normalise(colours[None])[0], expected)
