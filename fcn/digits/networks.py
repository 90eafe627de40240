"""A small digit classifier, and two fully convolutional networks made from it by surgery.

Long, Shelhamer and Darrell, "Fully Convolutional Networks for Semantic Segmentation" (CVPR 2015), section 3.1 (a
linear layer is a convolution) and 3.3 (upsampling is a transposed convolution); skips as in section 4.2.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from core import checkpoint
from core.errors import check_name
from fcn.digits.scenes import CLASSES
from fcn.geometry import Grid, follow

CHANNELS = (32, 64, 256)  # of the encoder's three stages
UPWARDS = (48, 32, 16)  # of the decoder's three
KERNELS = (6, 4, 4)  # of its transposed convolutions; with the 6 a pixel sees 22 pixels each way, a whole digit


class Encoder(nn.Module):
    """Three times convolution, batch normalisation, ReLU and pooling; 28 × 28 becomes 2 × 2, 56 × 84 becomes 6 × 9.

    Only the first convolution is padded, and a digit's paper is 0: so a feature sees the same on a grid as on a
    single digit, up to the digits around.

    Attributes:
        grids: where the cells of the four maps lie that `forward` gives.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        grid, self.grids = Grid(), []
        for number, (before, channels) in enumerate(zip((1, *CHANNELS), CHANNELS)):
            convolution = nn.Conv2d(before, channels, 3, padding=1 if number == 0 else 0, bias=False)
            self.stages.append(nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU()))
            if number == 0:
                self.grids.append(follow([convolution], grid))
            self.pool = nn.MaxPool2d(2, ceil_mode=True)
            grid = follow([convolution, self.pool], grid)
            self.grids.append(grid)

    def forward(self, images: Tensor) -> list[Tensor]:
        """(N, 1, H, W) in 0..1 → the first stage before its pooling (N, 32, H, W), then each stage pooled."""
        maps = [self.stages[0](images)]
        maps.append(self.pool(maps[0]))
        for stage in self.stages[1:]:
            maps.append(self.pool(stage(maps[-1])))
        return maps


class DigitClassifier(nn.Module):
    """The encoder and one linear layer over its last map, for digits of 28 × 28."""

    name = "classifier"

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.linear = nn.Linear(CHANNELS[-1] * 2 * 2, 10)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 1, 28, 28) in 0..1 → (N, 10) logits."""
        return self.linear(self.encoder(images)[-1].flatten(1))


class DigitFCN(nn.Module):
    """The encoder and a decoder of three transposed convolutions, each of which doubles the map.

    All crops come from the layers' geometry: a decoder's cell lies on the encoder's.
    """

    name: str
    skips: bool

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.upsamplings, self.norms, self.skip_layers = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        self.cuts = []
        finer = list(zip((CHANNELS[0], *CHANNELS[:2]), self.encoder.grids))[::-1]
        below, grid = CHANNELS[-1], self.encoder.grids[-1]
        for channels, kernel, (skip_channels, skip_grid) in zip(UPWARDS, KERNELS, finer):
            upsampling = nn.ConvTranspose2d(below, channels, kernel, stride=2, bias=False)
            self.cuts.append(follow([upsampling], grid).cells_to(skip_grid))
            self.upsamplings.append(upsampling)
            self.norms.append(nn.BatchNorm2d(channels))
            if self.skips:
                self.skip_layers.append(nn.Conv2d(skip_channels, channels, 1, bias=False))
            below, grid = channels, skip_grid
        self.score = nn.Conv2d(below, len(CLASSES), 1)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 1, H, W) in 0..1 → (N, 11, H, W) logits, float32; H and W at least 20."""
        *finer, x = self.encoder(images)
        for number, (fine, cut) in enumerate(zip(reversed(finer), self.cuts)):
            height, width = fine.shape[-2:]
            x = self.upsamplings[number](x)[..., cut : cut + height, cut : cut + width]
            if self.skips:
                x = x + self.skip_layers[number](fine)
            x = self.norms[number](x).relu()
        # In float32 under autocast too: on some processors so narrow a convolution's bfloat16 gradient is broken.
        with torch.autocast(images.device.type, enabled=False):
            return self.score(x.float())

    def start_from(self, classifier: DigitClassifier) -> None:
        """Takes over the classifier's encoder: the surgery. Its linear layer is left behind."""
        self.encoder.load_state_dict(classifier.encoder.state_dict())


class StandardFCN(DigitFCN):
    """The decoder sees the last map alone."""

    name, skips = "standardFCN", False


class FCN8(DigitFCN):
    """The same decoder; to each of its three maps the encoder's map of the same cells is added."""

    name, skips = "fcn8", True


NETWORKS = {network.name: network for network in (StandardFCN, FCN8)}


def make_network(name: str) -> DigitFCN:
    """A network by its name on the command line.

    Raises:
        CourseError: there is none of this name; the message gives the nearest.
    """
    check_name("model", name, NETWORKS)
    return NETWORKS[name]()


def weights_file(folder: Path, name: str) -> Path:
    """Where a network's weights, or the classifier's, lie in a folder."""
    return folder / f"digits_{name}.safetensors"


def save(model: DigitClassifier | DigitFCN, folder: Path, digits: str, seed: int) -> None:
    """Writes a network's weights in half precision, with its name, and the digits and seed it was trained with."""
    configuration = {"network": model.name, "digits": digits, "seed": seed}
    checkpoint.save_weights(model, weights_file(folder, model.name), configuration, half=True)


def load_network(folder: Path, name: str) -> tuple[DigitFCN, DigitClassifier, dict]:
    """A network and the classifier it was made from, both in eval mode, and how they were trained (see `save`).

    Raises:
        CourseError: an unknown name; a file is missing, damaged, or of another network.
    """
    model, classifier = make_network(name), DigitClassifier()
    for network in (model, classifier):
        checkpoint.load_weights(network, weights_file(folder, network.name))
        network.eval()
    return model, classifier, checkpoint.read_configuration(weights_file(folder, name))
