"""FCN-32s, FCN-16s and FCN-8s.

Long, Shelhamer and Darrell, "Fully Convolutional Networks for Semantic Segmentation" (CVPR 2015), section 4: a
trunk's last features are scored, upsampled and added to the scores of finer features; the sum is upsampled to the
image. The layers have the names that the paper's authors gave them for VGG-16, whatever the backbone. No crop is
typed in: all come from where cells lie (`fcn.geometry`).
"""

from pathlib import Path

from torch import Tensor, nn

from core import checkpoint
from core.errors import CourseError
from fcn.backbones import Trunk
from fcn.geometry import Grid, bilinear_kernel
from fcn.layers import BilinearUpsampling, LearnedUpsampling, ScoreLayer, crop_to_shared


class FCN(nn.Module):
    """What the three networks share: (N, 3, H, W) normalised image, any H, W ≥ 1 → (N, num_classes, H, W) logits.

    Args:
        num_classes: classes to tell apart.
        backbone: "vgg16", "alexnet", "googlenet" or "efficientnet_lite0".
        width: factor on the trunk's channels; 1.0 is the published network, and all that EfficientNet-Lite0 has.
        padding: 100 as in the paper, or "aligned": the same alignment without the wide zero border, and all that
            EfficientNet-Lite0 has.

    Attributes:
        configuration: these arguments.
        metadata: what else a weights file tells: the network's name, and where they are known the names of the
            `classes` and the data it was `trained_on`.

    Raises:
        CourseError: an unknown backbone, padding or width.
    """

    def __init__(
        self, num_classes: int = 12, backbone: str = "vgg16", width: float = 1.0, padding: int | str = 100
    ) -> None:
        super().__init__()
        self.configuration = {"num_classes": num_classes, "backbone": backbone, "width": width, "padding": padding}
        self.metadata = {"network": type(self).__name__}
        self.trunk = Trunk(backbone, width, padding)

    def doubling(self, cells: Grid, onto: Grid) -> tuple[LearnedUpsampling, int, Grid]:
        """From the cells of one map to those of a finer one.

        Returns:
            The upsampling by 2; its first cell's place on the finer map, from which that one is cropped (if negative,
            what is upsampled is cropped instead); where the cells of the two maps' sum lie.
        """
        aligned = self.trunk.aligned
        kernel, crop = bilinear_kernel(cells.widened(1) if aligned else cells, onto)
        upsampling = LearnedUpsampling(self.configuration["num_classes"], kernel, stride=2, extend=aligned)
        return upsampling, -crop, onto if crop >= 0 else upsampling.grid(cells)


class FCN32s(FCN):
    """FCN-32s: the coarsest scores alone, upsampled 32 times."""

    def __init__(
        self, num_classes: int = 12, backbone: str = "vgg16", width: float = 1.0, padding: int | str = 100
    ) -> None:
        super().__init__(num_classes, backbone, width, padding)
        _, _, fc7 = self.trunk.grids
        _, _, c_fc7 = self.trunk.channels
        self.score_fr = ScoreLayer(c_fc7, num_classes)
        self.upscore32 = BilinearUpsampling(fc7, self.trunk.aligned)

    def forward(self, image: Tensor) -> Tensor:
        _, _, fc7 = self.trunk(image)
        return self.upscore32(self.score_fr(fc7), *image.shape[-2:])


class FCN16s(FCN):
    """FCN-16s: scores from the features 16 pixels apart added to those 32 pixels apart."""

    def __init__(
        self, num_classes: int = 12, backbone: str = "vgg16", width: float = 1.0, padding: int | str = 100
    ) -> None:
        super().__init__(num_classes, backbone, width, padding)
        _, pool4, fc7 = self.trunk.grids
        _, c_pool4, c_fc7 = self.trunk.channels
        self.score_fr = ScoreLayer(c_fc7, num_classes)
        self.upscore2, self.crop_pool4, cells = self.doubling(fc7, pool4)
        self.score_pool4 = ScoreLayer(c_pool4, num_classes)
        self.upscore16 = BilinearUpsampling(cells, self.trunk.aligned)

    def forward(self, image: Tensor) -> Tensor:
        _, pool4, fc7 = self.trunk(image)
        upscore2 = self.upscore2(self.score_fr(fc7))
        upscore2c, score_pool4c = crop_to_shared(upscore2, self.score_pool4(pool4), self.crop_pool4)
        return self.upscore16(upscore2c + score_pool4c, *image.shape[-2:])


class FCN8s(FCN):
    """FCN-8s: scores from the features 8, 16 and 32 pixels apart."""

    def __init__(
        self, num_classes: int = 12, backbone: str = "vgg16", width: float = 1.0, padding: int | str = 100
    ) -> None:
        super().__init__(num_classes, backbone, width, padding)
        pool3, pool4, fc7 = self.trunk.grids
        c_pool3, c_pool4, c_fc7 = self.trunk.channels
        self.score_fr = ScoreLayer(c_fc7, num_classes)
        self.upscore2, self.crop_pool4, cells = self.doubling(fc7, pool4)
        self.score_pool4 = ScoreLayer(c_pool4, num_classes)
        self.upscore_pool4, self.crop_pool3, cells = self.doubling(cells, pool3)
        self.score_pool3 = ScoreLayer(c_pool3, num_classes)
        self.upscore8 = BilinearUpsampling(cells, self.trunk.aligned)

    def forward(self, image: Tensor) -> Tensor:
        pool3, pool4, fc7 = self.trunk(image)
        upscore2 = self.upscore2(self.score_fr(fc7))
        upscore2c, score_pool4c = crop_to_shared(upscore2, self.score_pool4(pool4), self.crop_pool4)
        upscore_pool4 = self.upscore_pool4(upscore2c + score_pool4c)
        upscore_pool4c, score_pool3c = crop_to_shared(upscore_pool4, self.score_pool3(pool3), self.crop_pool3)
        return self.upscore8(upscore_pool4c + score_pool3c, *image.shape[-2:])


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
    metadata = checkpoint.read_configuration(path)
    network = NETWORKS.get(str(metadata.get("network")))
    if network is None:
        raise CourseError(
            f"{path} doesn't say which network it is for; give a best.safetensors that a training notebook wrote."
        )
    arguments = {name: metadata.pop(name, None) for name in ("num_classes", "backbone", "width", "padding")}
    model = checkpoint.load_network(path, lambda: network(**arguments))
    classes = metadata.get("classes", [])
    if not isinstance(classes, list) or len(classes) not in (0, model.configuration["num_classes"]):
        raise CourseError(f"{path} has an invalid configuration (its classes are {classes!r:.60}); train it again.")
    model.metadata = metadata
    return model
