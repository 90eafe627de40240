"""One fully convolutional network; FCN-32s, 16s and 8s differ only in their skips.

Long, Shelhamer and Darrell, "Fully Convolutional Networks for Semantic Segmentation" (CVPR 2015), section 4:
the trunk's last features are scored, upsampled and summed with the scores of finer features; the sum is upsampled
to the image. Where cells lie, and so what to crop, comes from fcn.geometry.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from core import checkpoint
from core.errors import CourseError
from fcn.backbones import Trunk
from fcn.geometry import bilinear_kernel
from fcn.layers import BilinearUpsampling, LearnedUpsampling


class FCN(nn.Module):
    """A trunk, its scores, and `skips` finer scores: 0 is FCN-32s, 1 is FCN-16s, 2 is FCN-8s.

    Args:
        num_classes: classes to tell apart.
        backbone: "vgg16", "alexnet", "googlenet" or "efficientnet_lite0".
        width: factor on the trunk's channels; 1.0 is the published network, and all that EfficientNet-Lite0 has.
        padding: 100 as in the paper, or "aligned": the same alignment without the wide zero border, and all that
            EfficientNet-Lite0 has.

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
        aligned = self.trunk.aligned
        self.score = _score_layer(channels, num_classes)
        self.skip_scores, self.upsamplings, self.cuts = nn.ModuleList(), nn.ModuleList(), []
        for channels, skip_grid in reversed(finer[len(finer) - self.skips :]):
            kernel, cut = bilinear_kernel(grid.widened(1) if aligned else grid, skip_grid)
            upsampling = LearnedUpsampling(num_classes, kernel, stride=2, extend=aligned)
            # A negative cut: the skip reaches further up and left.
            grid = upsampling.grid(grid) if cut < 0 else skip_grid
            self.upsamplings.append(upsampling)
            self.skip_scores.append(_score_layer(channels, num_classes))
            self.cuts.append(cut)
        self.upsample = BilinearUpsampling(grid, extend=aligned)

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) normalised image, any H, W ≥ 1 → (N, num_classes, H, W) logits, float32."""
        *finer, features = self.trunk(image)
        with torch.autocast(image.device.type, enabled=False):
            scores = self.score(features.to(self.score.weight.dtype))
            for skip, upsampling, score, cut in zip(reversed(finer), self.upsamplings, self.skip_scores, self.cuts):
                scores = _sum(upsampling(scores), score(skip.to(score.weight.dtype)), cut)
            return self.upsample(scores, *image.shape[-2:])


class FCN32s(FCN):
    """FCN-32s: the coarsest scores alone, upsampled 32 times."""

    skips = 0


class FCN16s(FCN):
    """FCN-16s: scores from the features 16 pixels apart added to those 32 pixels apart."""

    skips = 1


class FCN8s(FCN):
    """FCN-8s: scores from the features 8, 16 and 32 pixels apart."""

    skips = 2


class WithMirror(nn.Module):
    """The mean of a network's logits of an image and of its mirror image, turned back; so left and right are alike."""

    def __init__(self, network: FCN) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, classes, H, W), as the network itself."""
        return (self.network(image) + self.network(image.flip(-1)).flip(-1)) / 2


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
    told = {name: configuration.pop(name) for name in ("classes", "trained_on") if name in configuration}
    try:
        model = network(**configuration)
    except (TypeError, ValueError, CourseError) as error:
        raise CourseError(f"{path} says of its network what can't be ({error}); train it again.") from error
    model.trunk.transform_input = model.configuration["transform_input"] = transform_input
    model.configuration |= told
    checkpoint.load_weights(model, path)
    return model


def _score_layer(channels: int, num_classes: int) -> nn.Conv2d:
    layer = nn.Conv2d(channels, num_classes, kernel_size=1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _sum(scores: Tensor, skip: Tensor, cut: int) -> Tensor:
    """The two maps' sum over the cells they share, the first `cut` cells being only in `scores` (or `-cut` in skip)."""
    scores, skip = scores[..., max(cut, 0) :, max(cut, 0) :], skip[..., max(-cut, 0) :, max(-cut, 0) :]
    height, width = (min(a, b) for a, b in zip(scores.shape[-2:], skip.shape[-2:]))
    return scores[..., :height, :width] + skip[..., :height, :width]
