"""Reading photographs and label maps from files, and the numbers that networks see of them."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from core.errors import CourseError

IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
IMAGENET_STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def read_photograph(path: str | Path) -> Image.Image:
    """An RGB photograph, turned as its EXIF tag says.

    Raises:
        CourseError: there is no such file, or it isn't a whole image.
    """
    try:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image).convert("RGB")
    except FileNotFoundError as error:
        raise CourseError(f"There is no file {path}; check the name.") from error
    except OSError as error:  # PIL's word for all that is not an image, and for a truncated one
        raise damaged(path, error) from error


def damaged(path: str | Path, error: Exception) -> CourseError:
    """What to tell of an image file that can't be read."""
    return CourseError(f"{path} is not a whole image ({error}); fetch or save it again.")


def read_palette(path: Path) -> np.ndarray:
    """The indices in a palette PNG, uint8 (H, W).

    Raises:
        CourseError: it isn't a whole image.
    """
    try:
        with Image.open(path) as image:
            return np.array(image)
    except OSError as error:
        raise damaged(path, error) from error


def normalise(pixels: Tensor) -> Tensor:
    """(H, W, 3) uint8 → (3, H, W) float32 with ImageNet's mean and deviation."""
    return (pixels.permute(2, 0, 1).float() / 255 - IMAGENET_MEAN) / IMAGENET_STD


def denormalise(image: Tensor) -> np.ndarray:
    """(3, H, W) normalised → (H, W, 3) float in 0..1, to show."""
    return (image.cpu() * IMAGENET_STD + IMAGENET_MEAN).clamp(0, 1).permute(1, 2, 0).numpy()
