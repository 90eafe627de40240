"""Random changes to a photograph and its label map, the same for both."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Augmentation:
    """Flips, scales and crops; each draw comes from torch's generator, so a seed fixes it.

    Attributes:
        flip: probability of a left-right flip.
        scale: smallest and largest factor on the sides, drawn evenly in its logarithm.
        crop: height and width, in pixels, of the window to cut; None leaves the picture whole. A picture that is
            smaller than the window keeps its own side.
    """

    flip: float = 0.5
    scale: tuple[float, float] = (0.8, 1.25)
    crop: tuple[int, int] | None = None

    def __call__(self, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """(3, H, W) float and (H, W) int64 → the same kinds, of another size if scaled or cropped."""
        if torch.rand(()) < self.flip:
            image, label = image.flip(-1), label.flip(-1)
        if self.scale != (1, 1):
            smallest, largest = self.scale
            factor = smallest * (largest / smallest) ** torch.rand(()).item()
            size = [max(1, round(side * factor)) for side in label.shape]
            image = functional.interpolate(image[None], size, mode="bilinear", antialias=True)[0]
            label = functional.interpolate(label[None, None].float(), size, mode="nearest-exact")[0, 0].long()
        if self.crop is not None:
            rows, columns = (_window(side, wanted) for side, wanted in zip(label.shape, self.crop))
            image, label = image[:, rows, columns], label[rows, columns]
        return image, label


def _window(side: int, wanted: int) -> slice:
    first = int(torch.randint(max(side - wanted, 0) + 1, ()))
    return slice(first, first + min(wanted, side))
