"""Photographs and label maps from files, read once and one way, and the numbers that networks see of them."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import ExifTags, Image, UnidentifiedImageError
from torch import Tensor

from core.errors import CourseError
from core.files import ROOT

SUFFIXES = (".jpg", ".jpeg", ".png")  # of photographs in a folder, in small letters or capitals
IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
IMAGENET_STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
TWELVE_BITS = 4095  # the brightest level of cameras and scanners that write 12 bits into 16
TURNS = {  # by EXIF's orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_photograph(path: str | Path, shorter: int | None = None) -> np.ndarray:
    """A photograph as (H, W, 3) uint8 RGB, turned the way its EXIF entry says.

    Grey, palette, CMYK and 16-bit files are converted; transparent pixels are laid on white.

    Args:
        path: the file.
        shorter: reduce a large photograph by a whole factor, so that its shorter side keeps at least so many pixels;
            this takes a fraction of the time and memory. By default it keeps all of them.

    Raises:
        CourseError: no such file, not an image, damaged, too large for memory (over 89 megapixels), or grey levels
            that can't be told from black.
    """
    with _opened(path) as image:
        if shorter is not None:
            factor = max(1, min(image.size) // shorter)
            image.draft(None, (image.width // factor, image.height // factor))  # JPEGs decode to a half, a quarter, …
        deep = any(";16" in str(tile.args) for tile in image.tile)  # forgotten once pixels are loaded
        turn = _orientation(image)
        rgb = _to_rgb(image, path)
        if deep and max(high for _, high in rgb.getextrema()) <= TWELVE_BITS >> 8:
            raise CourseError(
                f"{path} uses only 12 of its 16 bits, so it would be all but black; save it with 8 bits per channel."
            )
        if shorter is not None:
            rgb = rgb.reduce(max(1, min(rgb.size) // shorter))
        return np.asarray(rgb.transpose(TURNS[turn]) if turn in TURNS else rgb)


def find_photograph(name: str | Path) -> Path:
    """Finds a photograph by its path relative to the working folder (a notebook's own), or else to the course's.

    Raises:
        CourseError: there is no such file.
    """
    for folder in (Path.cwd(), ROOT):
        if (folder / name).is_file():
            return folder / name
    raise CourseError(f"There is no photograph {name} in {Path.cwd()} nor in {ROOT}; check its name, or give its path.")


def read_palette(path: str | Path) -> np.ndarray:
    """The indices in a palette PNG (or the levels of a grey one), uint8 (H, W).

    Raises:
        CourseError: as `read_photograph`; or the file holds colours instead of indices, or isn't a PNG, whatever its
            name says: JPEG, and most others, change labels to save space.
    """
    with _opened(path) as image:
        if image.format != "PNG":
            raise CourseError(f"{path} is a {image.format} file, not PNG, and labels must be exact; draw it as a PNG.")
        if image.mode not in ("P", "L", "1"):
            raise CourseError(f"{path} holds colours ({image.mode}), not labels; save it as a palette PNG.")
        return np.array(image).astype(np.uint8, copy=False)


def photograph_size(path: str | Path) -> tuple[int, int]:
    """Width and height of a photograph as `read_photograph` gives it, from the file's header.

    Raises:
        CourseError: as `read_photograph`.
    """
    with _opened(path) as image:
        return image.size[::-1] if _orientation(image) >= 5 else image.size


def orientation(path: str | Path) -> int:
    """EXIF's orientation of a photograph, 1 to 8: 1 is upright, from 5 on width and height change places.

    Raises:
        CourseError: as `read_photograph`.
    """
    with _opened(path) as image:
        return _orientation(image)


def _orientation(image: Image.Image) -> int:
    value = image.getexif().get(ExifTags.Base.Orientation, 1)
    return value if value in TURNS else 1


@contextmanager
def _opened(path: str | Path) -> Iterator[Image.Image]:
    """Opens an image file; whatever is wrong with it becomes one sentence."""
    path = Path(path)
    try:
        if not path.exists():
            raise CourseError(f"There is no file {path}; check the name and the folder.")
        if not path.is_file():  # a folder, or a pipe, which would be waited for
            raise CourseError(f"{path} is not a file; name an image file.")
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                yield image
    except CourseError:
        raise
    except UnidentifiedImageError:
        raise CourseError(f"{path} is not an image that can be read; give a JPEG or PNG file.") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError):
        limit = f"{Image.MAX_IMAGE_PIXELS / 1e6:.0f} megapixels"
        raise CourseError(f"{path} is too large to hold in memory; scale it down to below {limit}.") from None
    except Exception as error:  # Pillow's forty decoders raise anything on damaged files: struct.error, KeyError, …
        raise damaged(path, error) from None


def damaged(path: str | Path, error: Exception) -> CourseError:
    """The error for a file that can't be read to its end."""
    return CourseError(f"{path} cannot be read ({error}); it may be cut short: fetch, copy or save it again.")


def _to_rgb(image: Image.Image, path: str | Path) -> Image.Image:
    if image.mode.startswith(("I", "F")):  # convert() would clip levels at 255
        return Image.fromarray(_eight_bits(np.asarray(image), path)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _eight_bits(grey: np.ndarray, path: str | Path) -> np.ndarray:
    """Scales 16-bit levels, or floats in 0..1, to uint8."""
    low, high = grey.min(), grey.max()
    if grey.dtype.kind == "f" and 0 <= low and high <= 1:
        factor = 255.0
    elif grey.dtype.kind != "f" and 0 <= low and TWELVE_BITS < high <= 65535:
        factor = 1 / 257
    else:
        raise CourseError(
            f"{path} holds grey levels from {low:.7g} to {high:.7g}, neither 16 bits nor 0 to 1; save it with 8 bits."
        )
    return np.round(grey * factor).astype(np.uint8)


def normalise(pixels: np.ndarray) -> Tensor:
    """(…, H, W, 3) uint8 → (…, 3, H, W) float32 with ImageNet's mean and deviation."""
    channels_first = torch.from_numpy(np.asarray(pixels).copy()).movedim(-1, -3).contiguous()
    return (channels_first.float() / 255 - IMAGENET_MEAN) / IMAGENET_STD


def denormalise(image: Tensor) -> np.ndarray:
    """(3, H, W) normalised → (H, W, 3) float in 0..1, to show."""
    return (image.cpu() * IMAGENET_STD + IMAGENET_MEAN).clamp(0, 1).permute(1, 2, 0).numpy()
