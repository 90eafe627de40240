"""AlexNet, VGG-16 and GoogLeNet as trunks: torchvision's classifiers, made fully convolutional.

A linear layer that reads a whole feature map is a convolution whose kernel is as large as that map (FCN paper,
section 3.1). So a trunk is a classifier without its last layer, whose other linear layers became convolutions; its
layers keep torchvision's names, and torchvision's weights fit as they are.
"""

import torch
import torchvision.models
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.googlenet import GoogLeNet

from core.checkpoint import load_strictly
from core.errors import CourseError
from fcn.geometry import Grid, follow

NAMES = ("vgg16", "alexnet", "googlenet")


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

    Args:
        name: "vgg16", "alexnet" or "googlenet".
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
        if name not in NAMES:
            raise CourseError(f'Unknown backbone "{name}"; choose one of {", ".join(NAMES)}.')
        if padding != "aligned" and not (isinstance(padding, int) and padding >= 0):
            raise CourseError(f'Unknown padding {padding!r}; give "aligned" or a number of pixels such as 100.')
        options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
        with torch.device("meta"):  # a layout only; `_at_width` makes the real layers
            classifier = _at_width(getattr(torchvision.models, name)(**options), width)
        self.name, self.width, self.aligned = name, width, padding == "aligned"
        # ImageNet's GoogLeNet expects inputs of mean 0.5 and deviation 0.5; set with its weights.
        self.transform_input = False
        # The aligned form adds zeros below and to the right, where the last cells would not reach the image's end.
        # GoogLeNet gets two cells at least: batch normalisation can't train on a single one.
        self.smallest_side, self.extra_side = {"vgg16": (1, 0), "alexnet": (63, 31), "googlenet": (47, 16)}[name]
        for child_name, child in classifier.named_children():
            self.add_module(child_name, child)
        self._stages = _STAGES[name](self, width, self.aligned)
        first = next(layer for layer in self.modules() if isinstance(layer, nn.Conv2d))
        if not self.aligned:
            first.padding = (padding, padding)
        self.channels, self.grids = [], []
        for stage, channels in zip(self._stages, _CHANNELS[name]):
            self.grids.append(follow(stage, self.grids[-1] if self.grids else Grid()))
            self.channels.append(round(channels * width))

    def forward(self, image: Tensor) -> list[Tensor]:
        """(N, 3, H, W) normalised image → the features of the three stages, finest first."""
        if self.transform_input:
            image = GoogLeNet._transform_input(self, image)
        if self.aligned:
            below, right = (max(self.extra_side, self.smallest_side - side) for side in image.shape[-2:])
            image = functional.pad(image, (0, right, 0, below))
        features = []
        for stage in self._stages:
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
        dropped = ("classifier.6.", "fc.", "aux1.", "aux2.")
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
        if not (channels * width).is_integer() or width <= 0:
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


def _vgg16(trunk: nn.Module, width: float, aligned: bool) -> list[list[nn.Module]]:
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
    layers = list(trunk.features)
    return [layers[:17], layers[17:24], [*layers[24:], *trunk.classifier]]


def _alexnet(trunk: nn.Module, width: float, aligned: bool) -> list[list[nn.Module]]:
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
    layers = list(trunk.features)
    return [layers[:3], layers[3:6], [*layers[6:], *trunk.classifier]]


def _googlenet(trunk: nn.Module, width: float, aligned: bool) -> list[list[nn.Module]]:
    del trunk.avgpool, trunk.fc
    layers = list(trunk.children())
    third, fourth = layers.index(trunk.maxpool3), layers.index(trunk.maxpool4)
    return [layers[:third], layers[third:fourth], layers[fourth:]]


_STAGES = {"vgg16": _vgg16, "alexnet": _alexnet, "googlenet": _googlenet}
_CHANNELS = {"vgg16": (256, 512, 4096), "alexnet": (64, 192, 4096), "googlenet": (480, 832, 1024)}
