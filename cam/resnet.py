"""ResNet-18 that hands out its last feature map beside the logits (He et al., CVPR 2016).

Everything but `forward` is torchvision's, so torchvision's weights fit and the logits agree to the last bit.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights
from torchvision.models.resnet import BasicBlock, ResNet

from cam.view import VIEW
from core.checkpoint import fetch_state, load_strictly, read_state


class ResNet18(ResNet):
    """torchvision's ResNet-18 whose forward pass returns `(logits, layer4)`.

    Args:
        num_classes: outputs of the linear head.
        width: share of the standard 64, 128, 256, 512 channels; 1.0 is the published network.

    Attributes:
        last_layer: the layer whose output the features are.
        side: pixels of the square it looks at.
    """

    last_layer, side = "layer4", VIEW

    def __init__(self, num_classes: int = 1000, width: float = 1.0) -> None:
        super().__init__(BasicBlock, [2, 2, 2, 2], num_classes=num_classes)
        if width != 1.0:
            self._scale_channels(num_classes, width)

    def _scale_channels(self, num_classes: int, width: float) -> None:
        channels = [max(1, round(width * standard)) for standard in (64, 128, 256, 512)]
        self.inplanes = channels[0]
        self.conv1 = nn.Conv2d(3, channels[0], kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels[0])
        self.layer1 = self._make_layer(BasicBlock, channels[0], 2)
        self.layer2 = self._make_layer(BasicBlock, channels[1], 2, stride=2)
        self.layer3 = self._make_layer(BasicBlock, channels[2], 2, stride=2)
        self.layer4 = self._make_layer(BasicBlock, channels[3], 2, stride=2)
        self.fc = nn.Linear(channels[3], num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Classifies a batch.

        Args:
            x: (N, 3, H, W) float, normalised; any H and W from 1.

        Returns:
            logits (N, num_classes) and layer4's features (N, 512 * width, ceil(H / 32), ceil(W / 32)).
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        features = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        logits = self.fc(torch.flatten(self.avgpool(features), 1))
        return logits, features

    def paths(self) -> list[list[nn.Module]]:
        """The layers in their order, for `fcn.geometry`."""
        return [list(self.children())]


def resnet18(
    weights: ResNet18_Weights | str | Path | None = None, num_classes: int = 1000, width: float = 1.0
) -> ResNet18:
    """Builds a ResNet-18, in training mode like any new module.

    Args:
        weights: None for random ones; a member of torchvision's `ResNet18_Weights` or its name ("DEFAULT",
            "IMAGENET1K_V1"), downloaded and checked against its hash; or a file, .safetensors or a state dict
            saved by torch.

    Raises:
        CourseError: the weights cannot be fetched or read, or their entries do not fit the network.
    """
    model = ResNet18(num_classes, width)
    if weights is not None:
        load_strictly(model, read_weights(weights), source=str(weights))
    return model


def read_weights(weights: ResNet18_Weights | str | Path) -> dict[str, Tensor]:
    """The state dict that `weights` names; see `resnet18`.

    Raises:
        CourseError: it cannot be fetched, or the file is not one of weights.
    """
    if isinstance(weights, ResNet18_Weights):
        return fetch_state(weights)
    if weights in ResNet18_Weights.__members__:
        return fetch_state(ResNet18_Weights[weights])
    return read_state(weights)
