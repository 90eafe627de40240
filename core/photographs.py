"""Photographs and label maps from files, read once and one way, and the numbers that networks see of them."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from core.errors import CourseError
from core.files import ROOT

SUFFIXES = (".jpg", ".jpeg", ".png")  # of photographs in a folder, in small letters or capitals
IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
IMAGENET_STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def read_photograph(path: str | Path) -> np.ndarray:
    """A photograph as (H, W, 3) uint8 RGB, turned the way its EXIF entry says.

    Grey, palette, CMYK and 16-bit files are converted; transparent pixels are laid on white.

    Raises:
        CourseError: no such file, not an image, cut short, or too large for memory (over 89 megapixels).
    """
    with _opened(path) as image:
        return np.asarray(_to_rgb(ImageOps.exif_transpose(image)))


def find_photograph(name: str | Path) -> Path:
    """Where a photograph lies that is named by a path: seen from the working folder, which for a notebook is its own,
    or else from the course's.

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
        CourseError: as `read_photograph`, or the file holds colours instead of indices.
    """
    with _opened(path) as image:
        if image.mode not in ("P", "L", "1"):
            raise CourseError(f"{path} holds colours ({image.mode}), not labels; save it as a palette PNG.")
        return np.array(image).astype(np.uint8, copy=False)


def photograph_size(path: str | Path) -> tuple[int, int]:
    """Width and height of an image file, from its header.

    Raises:
        CourseError: as `read_photograph`.
    """
    with _opened(path) as image:
        return image.size


@contextmanager
def _opened(path: str | Path) -> Iterator[Image.Image]:
    """An image file, whatever is wrong with it told in one sentence."""
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
    except UnidentifiedImageError:
        raise CourseError(f"{path} is not an image that can be read; give a JPEG or PNG file.") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError):
        limit = f"{Image.MAX_IMAGE_PIXELS / 1e6:.0f} megapixels"
        raise CourseError(f"{path} is too large to hold in memory; scale it down to below {limit}.") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow's decoders raise on damaged files
        raise damaged(path, error) from None


def damaged(path: str | Path, error: Exception) -> CourseError:
    """What to tell of a file that can't be read to its end."""
    return CourseError(f"{path} cannot be read ({error}); it may be cut short: fetch, copy or save it again.")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey, which convert() would clip at 255
        levels = np.asarray(image).astype(np.float64) / 257
        return Image.fromarray(np.clip(np.round(levels), 0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def normalise(pixels: np.ndarray) -> Tensor:
    """(…, H, W, 3) uint8 → (…, 3, H, W) float32 with ImageNet's mean and deviation."""
    channels_first = torch.from_numpy(np.asarray(pixels).copy()).movedim(-1, -3).contiguous()
    return (channels_first.float() / 255 - IMAGENET_MEAN) / IMAGENET_STD


def denormalise(image: Tensor) -> np.ndarray:
    """(3, H, W) normalised → (H, W, 3) float in 0..1, to show."""
    return (image.cpu() * IMAGENET_STD + IMAGENET_MEAN).clamp(0, 1).permute(1, 2, 0).numpy()
