"""One fully convolutional network; FCN-32s, 16s and 8s differ only in their skips.

Long, Shelhamer and Darrell, "Fully Convolutional Networks for Semantic Segmentation" (CVPR 2015), section 4:
the trunk's last features are scored, upsampled and summed with the scores of finer features; the sum is upsampled
to the image. Where cells lie, and so what to crop, comes from fcn.geometry.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from core import checkpoint
from core.errors import CourseError
from fcn.backbones import Trunk
from fcn.geometry import Grid


class Upsampling(nn.ConvTranspose2d):
    """A transposed convolution that starts as bilinear interpolation, each class by itself (paper, section 3.3).

    Args:
        channels: classes.
        kernel: 2 * stride, or 2 * stride - 1 where cells lie on whole pixels.
        stride: the factor.
        extend: repeat the outermost cells first, so that the border isn't mixed with zeros.
        learned: False keeps it bilinear, as the paper does for the last one (section 4.3).
    """

    def __init__(self, channels: int, kernel: int, stride: int, extend: bool, learned: bool) -> None:
        super().__init__(channels, channels, kernel, stride, bias=False)
        self.extend = extend
        ramp = 1 - (torch.arange(kernel) - (kernel - 1) / 2).abs() / stride
        with torch.no_grad():
            self.weight.zero_()
            self.weight[range(channels), range(channels)] = torch.outer(ramp, ramp)
        self.weight.requires_grad_(learned)

    def forward(self, scores: Tensor) -> Tensor:
        """(N, channels, h, w) → (N, channels, about h * stride, about w * stride)."""
        if self.extend:
            scores = functional.pad(scores, (1, 1, 1, 1), mode="replicate")
        return super().forward(scores)

    def grid(self, grid: Grid) -> Grid:
        """Where the cells lie after it."""
        return (grid.widened(1) if self.extend else grid).upsample(self.kernel_size[0], self.stride[0])


class FCN(nn.Module):
    """A trunk, its scores, and `skips` finer scores: 0 is FCN-32s, 1 is FCN-16s, 2 is FCN-8s.

    Args:
        num_classes: classes to tell apart.
        backbone: "vgg16", "alexnet" or "googlenet".
        width: factor on the trunk's channels; 1.0 is the published network.
        padding: 100 as in the paper, or "aligned": the same alignment without the wide zero border.

    Score layers start at zero, upsampling bilinear. They compute in float32 under autocast too: bfloat16 costs the
    scores their precision, and on some processors the narrow convolution's bfloat16 gradient is broken.

    Raises:
        CourseError: an unknown backbone, padding or width.
    """

    skips: int

    def __init__(
        self, num_classes: int = 12, backbone: str = "vgg16", width: float = 1.0, padding: int | str = 100
    ) -> None:
        super().__init__()
        # What it takes to make this network again; it is stored with the weights.
        self.configuration = {
            "network": type(self).__name__,
            "num_classes": num_classes,
            "backbone": backbone,
            "width": width,
            "padding": padding,
            "transform_input": False,
        }
        self.trunk = Trunk(backbone, width, padding)
        *finer, coarsest = zip(self.trunk.channels, self.trunk.grids)
        channels, grid = coarsest
        self.score = _score_layer(channels, num_classes)
        self.skip_scores, self.upsamplings, self.cuts = nn.ModuleList(), nn.ModuleList(), []
        for channels, skip_grid in reversed(finer[len(finer) - self.skips :]):
            upsampling = _aligned_upsampling(num_classes, 2, grid, skip_grid, self.trunk.aligned, learned=True)
            cut = upsampling.grid(grid).cells_to(skip_grid)  # negative: the skip reaches further up and left
            grid = upsampling.grid(grid) if cut < 0 else skip_grid
            self.upsamplings.append(upsampling)
            self.skip_scores.append(_score_layer(channels, num_classes))
            self.cuts.append(cut)
        self.upsample = _aligned_upsampling(
            num_classes, int(grid.step), grid, Grid(), self.trunk.aligned, learned=False
        )
        self.crop = self.upsample.grid(grid).cells_to(Grid())

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) normalised image, any H, W ≥ 1 → (N, num_classes, H, W) logits, float32."""
        *finer, features = self.trunk(image)
        with torch.autocast(image.device.type, enabled=False):
            scores = self.score(features.to(self.score.weight.dtype))
            for skip, upsampling, score, cut in zip(reversed(finer), self.upsamplings, self.skip_scores, self.cuts):
                scores = _sum(upsampling(scores), score(skip.to(score.weight.dtype)), cut)
            height, width = image.shape[-2:]
            return self.upsample(scores)[..., self.crop : self.crop + height, self.crop : self.crop + width]


class FCN32s(FCN):
    """FCN-32s: the coarsest scores alone, upsampled 32 times."""

    skips = 0


class FCN16s(FCN):
    """FCN-16s: scores from the features 16 pixels apart added to those 32 pixels apart."""

    skips = 1


class FCN8s(FCN):
    """FCN-8s: scores from the features 8, 16 and 32 pixels apart."""

    skips = 2


NETWORKS = {network.__name__: network for network in (FCN32s, FCN16s, FCN8s)}


def from_weights(path: str | Path) -> FCN:
    """The network that a weights file was written for, with these weights.

    Raises:
        CourseError: the file is missing, damaged or not of such a network.
    """
    configuration = checkpoint.read_configuration(path)
    network = NETWORKS.get(str(configuration.pop("network", None)))
    if network is None:
        raise CourseError(
            f"{path} doesn't say which network it is for; give a best.safetensors that a training notebook wrote."
        )
    transform_input = configuration.pop("transform_input", False)
    classes = configuration.pop("classes", None)
    try:
        model = network(**configuration)
    except (TypeError, ValueError, CourseError) as error:
        raise CourseError(f"{path} says of its network what can't be ({error}); train it again.") from error
    model.trunk.transform_input = model.configuration["transform_input"] = transform_input
    if classes is not None:
        model.configuration["classes"] = classes
    checkpoint.load_weights(model, path)
    return model


def _score_layer(channels: int, num_classes: int) -> nn.Conv2d:
    layer = nn.Conv2d(channels, num_classes, kernel_size=1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _aligned_upsampling(channels: int, stride: int, grid: Grid, onto: Grid, extend: bool, learned: bool) -> Upsampling:
    """The bilinear kernel, even or odd, after which a whole number of cells separates the two grids."""
    for kernel in (2 * stride, 2 * stride - 1):
        cells = (onto.start - (grid.widened(1) if extend else grid).upsample(kernel, stride).start) / onto.step
        if cells.is_integer():
            return Upsampling(channels, kernel, stride, extend, learned)
    raise ValueError(f"no bilinear kernel of stride {stride} puts {grid} onto {onto}")


def _sum(scores: Tensor, skip: Tensor, cut: int) -> Tensor:
    """The two maps' sum over the cells they share, the first `cut` cells being only in `scores` (or `-cut` in skip)."""
    scores, skip = scores[..., max(cut, 0) :, max(cut, 0) :], skip[..., max(-cut, 0) :, max(-cut, 0) :]
    height, width = (min(a, b) for a, b in zip(scores.shape[-2:], skip.shape[-2:]))
    return scores[..., :height, :width] + skip[..., :height, :width]
