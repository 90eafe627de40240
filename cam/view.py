"""Reading photographs once and one way, and knowing where each pixel the network saw came from."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import CourseError
from core.photographs import IMAGENET_MEAN, IMAGENET_STD

VIEW = 224  # pixels: the side of the square a classifier looks at
SHARE = 224 / 256  # of the photograph's shorter side, as in torchvision's preset (resize to 256, crop to 224)


def read_photograph(path: str | Path) -> np.ndarray:
    """Reads an image file as (H, W, 3) uint8 RGB, turned the way its EXIF entry says.

    Grey, palette, CMYK and 16-bit files are converted; transparent pixels are laid on white.

    Raises:
        CourseError: no such file, not an image, cut short, too large for memory (over 89 megapixels), a single
            pixel wide or high, or one colour throughout.
    """
    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                pixels = np.asarray(_to_rgb(ImageOps.exif_transpose(image)))
    except FileNotFoundError:
        raise CourseError(f"There is no photograph {path}; check the name and the folder.") from None
    except UnidentifiedImageError:
        raise CourseError(f"{path} is not an image that can be read; give a JPEG or PNG file.") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError):
        raise CourseError(
            f"{path} is too large to hold in memory; scale it down to below "
            f"{Image.MAX_IMAGE_PIXELS / 1e6:.0f} megapixels."
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow's decoders raise on damaged files
        raise CourseError(f"{path} cannot be read ({error}); it may be cut short: copy or save it again.") from None
    height, width = pixels.shape[:2]
    if min(height, width) < 2:
        raise CourseError(f"{path} is only {width} × {height} pixels; give a photograph that shows something.")
    if (pixels == pixels[0, 0]).all():
        raise CourseError(f"{path} is one colour throughout, so there is nothing to find; give another photograph.")
    return pixels


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey, which convert() would clip at 255
        levels = np.asarray(image).astype(np.float64) / 257
        return Image.fromarray(np.clip(np.round(levels), 0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


@dataclass(frozen=True)
class View:
    """The square of a photograph that a network saw: its corner and side in the photograph, and its own side.

    Pixel q of the network's input covers the photograph's pixels from left + q * side/size on.
    """

    left: float
    top: float
    side: float
    size: int = VIEW

    def columns(self, width: int) -> np.ndarray:
        """Where the middles of the photograph's `width` columns lie in the network's input, in its pixels."""
        return (np.arange(width) + 0.5 - self.left) * self.size / self.side - 0.5

    def rows(self, height: int) -> np.ndarray:
        """Where the middles of the photograph's `height` rows lie in the network's input, in its pixels."""
        return (np.arange(height) + 0.5 - self.top) * self.size / self.side - 0.5


def centre_view(photograph: np.ndarray, share: float = SHARE) -> View:
    """The middle square of an (H, W, 3) photograph, its side `share` of the shorter side."""
    height, width = photograph.shape[:2]
    side = share * min(height, width)
    return View(left=(width - side) / 2, top=(height - side) / 2, side=side)


def look(photograph: np.ndarray, view: View) -> torch.Tensor:
    """What the network gets: the view of an (H, W, 3) uint8 photograph as (1, 3, size, size) float32, normalised.

    The resampling is Pillow's bilinear one with antialiasing, straight from the photograph's pixels, so that
    neither a long thin photograph nor an intermediate rounding costs anything.
    """
    box = (view.left, view.top, view.left + view.side, view.top + view.side)
    seen = Image.fromarray(photograph).resize((view.size, view.size), Image.Resampling.BILINEAR, box=box)
    return normalise(np.asarray(seen)[None])


def normalise(images: np.ndarray) -> torch.Tensor:
    """Turns (N, H, W, 3) uint8 images into an (N, 3, H, W) float32 batch with ImageNet's mean and deviation."""
    batch = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 255
    return ((batch - IMAGENET_MEAN) / IMAGENET_STD).contiguous()
