"""AlexNet, VGG-16 and GoogLeNet as trunks: torchvision's classifiers, made fully convolutional.

A linear layer that reads a whole feature map is a convolution whose kernel is as large as that map (FCN paper,
section 3.1). So a trunk is a classifier without its last layer, whose other linear layers became convolutions; its
layers keep torchvision's names, and torchvision's weights fit as they are. Adding a backbone: docs/.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torchvision.models
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import WeightsEnum

from core.checkpoint import load_strictly
from core.errors import CourseError, check_name
from core.photographs import IMAGENET_MEAN, IMAGENET_STD
from fcn.geometry import Grid, follow


class WholeMapConvolution(nn.Conv2d):
    """A former linear layer: a convolution with a kernel as large as the map it was trained on.

    On few cells and many channels it is one matrix product of the unfolded cells with the weight; computed as such
    it trains several times faster on a CPU (`python -m benchmarks.training_step`).

    Args:
        inputs, outputs: channels.
        kernel: side of the kernel, in cells.
        before, after: zeros left and above, right and below; they differ where the kernel is even.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, before: int = 0, after: int = 0) -> None:
        super().__init__(inputs, outputs, kernel, padding=before)
        self.after = after

    def grid(self, grid: Grid) -> Grid:
        """Where its cells lie: the zeros before the first ones decide."""
        return grid.convolve(self.kernel_size[0], padding=self.padding[0])

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, h, w) → (N, outputs, h + before + after - kernel + 1, …)."""
        before, kernel = self.padding[0], self.kernel_size[0]
        features = functional.pad(features, (before, self.after, before, self.after))
        if features.device.type != "cpu" or kernel == 1:
            return functional.conv2d(features, self.weight, self.bias)
        rows, columns = (side - kernel + 1 for side in features.shape[-2:])
        cells = functional.unfold(features, kernel).transpose(1, 2)  # (N, cells, inputs * kernel²)
        outputs = functional.linear(cells, self.weight.flatten(1), self.bias)
        return outputs.transpose(1, 2).unflatten(2, (rows, columns))


class Trunk(nn.Module):
    """A classifier without its last layer, cut where its cells are 8, 16 and 32 pixels apart.

    Aligned, VGG-16 is the classifier at 224 × 224 pixels. AlexNet and GoogLeNet aren't quite: for their last cells to
    reach the image's end, zeros are added on the right and below, which changes their features at that border (by 10
    and 28 %).

    Args:
        name: of BACKBONES.
        width: factor on every layer's channels; 1.0 is the published network.
        padding: zeros around the image at the first convolution (the paper's 100), or "aligned": as many as the
            classifier has, with the former linear layers padded so that every image gets its cells.

    Attributes:
        channels: channels of the three stages' features.
        grids: where their cells lie in the image.

    Weights are He-initialised (He et al., "Delving Deep into Rectifiers", ICCV 2015), biases zero.

    Raises:
        CourseError: an unknown name or padding, or a width that leaves a layer with a fraction of a channel.
    """

    def __init__(self, name: str = "vgg16", width: float = 1.0, padding: int | str = 100) -> None:
        super().__init__()
        check_name("backbone", name, BACKBONES)
        if padding != "aligned" and not (isinstance(padding, int) and padding >= 0):
            raise CourseError(f'Unknown padding {padding!r}; give "aligned" or a number of pixels such as 100.')
        backbone = BACKBONES[name]
        with torch.device("meta"):  # a layout only; `_at_width` makes the real layers
            classifier = _at_width(backbone.classifier(), width)
        self.name, self.width, self.aligned = name, width, padding == "aligned"
        self.transform_input = False  # set with ImageNet's weights, see `Backbone.half_inputs`
        self.smallest_side, self.extra_side = backbone.smallest_side, backbone.extra_side
        for child_name, child in classifier.named_children():
            self.add_module(child_name, child)
        backbone.make_dense(self, width, self.aligned)
        if not self.aligned:
            first = next(layer for layer in self.modules() if isinstance(layer, nn.Conv2d))
            first.padding = (padding, padding)
        self.channels, self.grids = [], []
        for stage, channels in zip(self._stages(), backbone.channels):
            self.grids.append(follow(stage, self.grids[-1] if self.grids else Grid()))
            self.channels.append(round(channels * width))

    def _stages(self) -> list[list[nn.Module]]:
        """The layers of the three stages, in order; looked up each time, so that a layer may be replaced."""
        stages: list[list[nn.Module]] = [[]]
        for name, child in self.named_children():
            layers = child.named_children() if isinstance(child, nn.Sequential) else [("", child)]
            for number, layer in layers:
                if f"{name}.{number}".rstrip(".") in BACKBONES[self.name].stage_starts:
                    stages.append([])
                stages[-1].append(layer)
        return stages

    def forward(self, image: Tensor) -> list[Tensor]:
        """(N, 3, H, W) normalised image → the features of the three stages, finest first."""
        if self.transform_input:
            image = image * (IMAGENET_STD / 0.5).to(image) + ((IMAGENET_MEAN - 0.5) / 0.5).to(image)
        if self.aligned:
            below, right = (max(self.extra_side, self.smallest_side - side) for side in image.shape[-2:])
            image = functional.pad(image, (0, right, 0, below))
        features = []
        for stage in self._stages():
            for layer in stage:
                image = layer(image)
            features.append(image)
        return features

    def load_classifier(self, state: dict[str, Tensor]) -> None:
        """Takes torchvision's weights of the whole classifier; its last layer is left out.

        Args:
            state: torchvision's state dict; a linear weight (outputs, inputs * k * k) becomes the convolution's
                (outputs, inputs, k, k), in the same order of elements.

        Raises:
            CourseError: a key or a shape that doesn't fit this trunk.
        """
        own = self.state_dict()
        dropped = BACKBONES[self.name].dropped
        state = {
            key: value.reshape(own[key].shape) if key in own and value.numel() == own[key].numel() else value
            for key, value in state.items()
            if not key.startswith(dropped)
        }
        load_strictly(self, state, source=f"for the trunk {self.name}")


def _at_width(module: nn.Module, width: float) -> nn.Module:
    """The layout with real, He-initialised convolutions of the given width, and pooling that rounds up.

    Rounding up is Caffe's rule; with torch's, padding 100 gives maps that are smaller than their crop.
    """

    def scaled(channels: int) -> int:
        if not isinstance(width, int | float) or width <= 0 or not float(channels * width).is_integer():
            raise CourseError(f"width {width} leaves a fraction of {channels} channels; use 1, 0.5, 0.25 or 0.125.")
        return int(channels * width)

    for name, layer in module.named_children():
        if isinstance(layer, nn.Conv2d):
            inputs = layer.in_channels if layer.in_channels == 3 else scaled(layer.in_channels)
            real = nn.Conv2d(
                inputs,
                scaled(layer.out_channels),
                layer.kernel_size,
                layer.stride,
                layer.padding,
                bias=layer.bias is not None,
                device="cpu",
            )
            setattr(module, name, he_initialised(real))
        elif isinstance(layer, nn.BatchNorm2d):
            setattr(module, name, nn.BatchNorm2d(scaled(layer.num_features), eps=layer.eps, device="cpu"))
        elif isinstance(layer, nn.MaxPool2d):
            layer.ceil_mode = True
        else:
            _at_width(layer, width)
    return module


def he_initialised(layer: nn.Conv2d) -> nn.Conv2d:
    """The layer with weights drawn so that ReLU keeps the signal's variance, and a zero bias."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _dense_vgg16(trunk: nn.Module, width: float, aligned: bool) -> None:
    c512, c4096 = round(512 * width), round(4096 * width)
    side = 3 if aligned else 0
    fc6, fc7 = WholeMapConvolution(c512, c4096, 7, side, side), WholeMapConvolution(c4096, c4096, 1)
    trunk.classifier = nn.Sequential(
        he_initialised(fc6),
        nn.ReLU(inplace=True),
        nn.Dropout(),
        he_initialised(fc7),
        nn.ReLU(inplace=True),
        nn.Dropout(),
    )
    del trunk.avgpool


def _dense_alexnet(trunk: nn.Module, width: float, aligned: bool) -> None:
    c256, c4096 = round(256 * width), round(4096 * width)
    before, after = (3, 2) if aligned else (0, 0)
    fc6, fc7 = WholeMapConvolution(c256, c4096, 6, before, after), WholeMapConvolution(c4096, c4096, 1)
    trunk.classifier = nn.Sequential(
        nn.Dropout(),
        he_initialised(fc6),
        nn.ReLU(inplace=True),
        nn.Dropout(),
        he_initialised(fc7),
        nn.ReLU(inplace=True),
    )
    del trunk.avgpool


def _dense_googlenet(trunk: nn.Module, width: float, aligned: bool) -> None:
    del trunk.avgpool, trunk.fc


@dataclass(frozen=True)
class Backbone:
    """All that the course knows of a backbone; adding one is adding an entry to BACKBONES.

    Attributes:
        classifier: makes torchvision's classifier.
        make_dense: puts convolutions in the place of a trunk's linear layers and removes what a trunk doesn't have.
        stage_starts: the layers with which the second and third stage begin, by name.
        channels: of the three stages' features at full width.
        paper_rate: the FCN paper's learning rate (section 4.3), for the mean of the cross-entropy over a batch.
        imagenet: torchvision's weights.
        dropped: how the names of weights begin that a trunk has no place for.
        smallest_side: pixels an aligned image needs; it is filled up with zeros. GoogLeNet gets two cells at least, as
            batch normalisation can't train on a single one.
        extra_side: zeros that the aligned form adds below and on the right, where the last cells would not reach the
            image's end.
        half_inputs: whether ImageNet's weights expect inputs of mean 0.5 and deviation 0.5.
    """

    classifier: Callable[[], nn.Module]
    make_dense: Callable[[Trunk, float, bool], None]
    stage_starts: tuple[str, str]
    channels: tuple[int, int, int]
    paper_rate: float
    imagenet: WeightsEnum
    dropped: tuple[str, ...]
    smallest_side: int = 1
    extra_side: int = 0
    half_inputs: bool = False


BACKBONES = {
    "vgg16": Backbone(
        classifier=torchvision.models.vgg16,
        make_dense=_dense_vgg16,
        stage_starts=("features.17", "features.24"),
        channels=(256, 512, 4096),
        paper_rate=1e-4,
        imagenet=torchvision.models.VGG16_Weights.IMAGENET1K_V1,
        dropped=("classifier.6.",),
    ),
    "alexnet": Backbone(
        classifier=torchvision.models.alexnet,
        make_dense=_dense_alexnet,
        stage_starts=("features.3", "features.6"),
        channels=(64, 192, 4096),
        paper_rate=1e-3,
        imagenet=torchvision.models.AlexNet_Weights.IMAGENET1K_V1,
        dropped=("classifier.6.",),
        smallest_side=63,
        extra_side=31,
    ),
    "googlenet": Backbone(
        classifier=partial(torchvision.models.googlenet, aux_logits=False, init_weights=False),
        make_dense=_dense_googlenet,
        stage_starts=("maxpool3", "maxpool4"),
        channels=(480, 832, 1024),
        paper_rate=5e-5,
        imagenet=torchvision.models.GoogLeNet_Weights.IMAGENET1K_V1,
        dropped=("fc.", "aux1.", "aux2."),
        smallest_side=47,
        extra_side=16,
        half_inputs=True,
    ),
}
