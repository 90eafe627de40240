"""Classifiers as trunks: AlexNet, VGG-16 and GoogLeNet of 2012 to 2014, and EfficientNet-Lite0 of 2020.

A linear layer that reads a whole feature map is a convolution whose kernel is as large as that map (FCN paper,
section 3.1). So a trunk is a classifier without its last layer, whose other linear layers became convolutions; its
layers keep torchvision's or timm's names, and their weights fit as they are. Adding a backbone: docs/.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

import torch
import torchvision.models
from torch import Tensor, nn
from torch.nn import functional as F

from core.checkpoint import fetch_state, load_strictly
from core.errors import CourseError, check_name
from core.photographs import IMAGENET_MEAN, IMAGENET_STD
from fcn.classifiers import (
    dense_alexnet,
    dense_efficientnet_lite0,
    dense_googlenet,
    dense_vgg16,
    efficientnet_lite0,
    packaged_lite0,
    torchvision_classifier,
)
from fcn.geometry import Grid, follow

MOST_PADDING = 1000  # pixels


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
        stages: the names of the layers of each of the three stages.
        channels: channels of the three stages' features.
        grids: where their cells lie in the image.

    Weights are He-initialised (He et al., "Delving Deep into Rectifiers", ICCV 2015), biases zero.

    Raises:
        CourseError: an unknown name or padding, or a width that leaves a layer with a fraction of a channel.
    """

    def __init__(self, name: str = "vgg16", width: float = 1.0, padding: int | str = 100) -> None:
        super().__init__()
        check_name("backbone", name, BACKBONES)
        if padding != "aligned" and not (isinstance(padding, int) and 0 <= padding <= MOST_PADDING):
            raise CourseError(f'Unknown padding {padding!r}; give "aligned" or a number of pixels such as 100.')
        backbone = BACKBONES[name]
        if backbone.only_aligned and padding != "aligned":
            raise CourseError(f'{name} knows no padding {padding}, as its cells are aligned; give padding "aligned".')
        classifier = backbone.classifier(width)
        self.name, self.width, self.aligned = name, width, padding == "aligned"
        # Whether the weights expect inputs of mean 0.5 and deviation 0.5, as some of ImageNet's do; it goes with them.
        self.register_buffer("transform_input", torch.tensor(False))
        self.register_buffer("input_factor", IMAGENET_STD / 0.5, persistent=False)
        self.register_buffer("input_shift", (IMAGENET_MEAN - 0.5) / 0.5, persistent=False)
        for child_name, child in classifier.named_children():
            self.add_module(child_name, child)
        backbone.make_dense(self, width, self.aligned)
        if not self.aligned:
            first = next(layer for layer in self.modules() if isinstance(layer, nn.Conv2d))
            first.padding = (padding, padding)
        self.stages = _split(self, backbone.stage_starts)
        self.channels = [round(channels * width) for channels in backbone.channels]
        self.grids, grid = [], Grid()
        for stage in self.stages:
            grid = follow(map(self.get_submodule, stage), grid)
            self.grids.append(grid)

    def forward(self, image: Tensor) -> list[Tensor]:
        """(N, 3, H, W) normalised image → the features of the three stages, finest first."""
        image = torch.where(self.transform_input, image * self.input_factor + self.input_shift, image)
        if self.aligned:
            below, right = (BACKBONES[self.name].added(side) for side in image.shape[-2:])
            image = F.pad(image, (0, right, 0, below))
        features = []
        for stage in self.stages:
            for name in stage:
                image = self.get_submodule(name)(image)
            features.append(image)
        return features

    def load_classifier(self, state: dict[str, Tensor], transform_input: bool = False) -> None:
        """Takes the weights of the whole classifier; its last layer is left out.

        Args:
            state: torchvision's (or timm's) state dict; a linear weight (outputs, inputs * k * k) becomes the
                convolution's (outputs, inputs, k, k), in the same order of elements.
            transform_input: whether they expect inputs of mean 0.5 and deviation 0.5.

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
        state["transform_input"] = torch.tensor(transform_input)
        load_strictly(self, state, source=f"for the trunk {self.name}")


def _split(trunk: nn.Module, starts: Collection[str]) -> list[list[str]]:
    """The names of a trunk's layers in order, stage by stage; each stage but the first begins with one of `starts`."""
    stages: list[list[str]] = [[]]
    for name, child in trunk.named_children():
        layers = [f"{name}.{number}" for number in range(len(child))] if isinstance(child, nn.Sequential) else [name]
        for layer in layers:
            if layer in starts:
                stages.append([])
            stages[-1].append(layer)
    return stages


@dataclass(frozen=True)
class Backbone:
    """All that the course knows of a backbone; adding one is adding an entry to BACKBONES.

    Attributes:
        classifier: width → the classifier with its own layer names, randomly initialised.
        make_dense: puts convolutions in the place of a trunk's linear layers and removes what a trunk doesn't have.
        stage_starts: the layers with which the second and third stage begin, by name.
        channels: of the three stages' features at full width.
        paper_rate: the FCN paper's learning rate (section 4.3), for the mean of the cross-entropy over a batch; None
            where the paper knows no such network.
        imagenet: gives the classifier's weights for ImageNet.
        dropped: key prefixes to skip when a trunk takes the classifier's weights.
        course_weights: whether the course has small weights of its own for it.
        smallest_side: pixels an aligned image needs; it is filled up with zeros. Networks with batch normalisation get
            two cells at least, as that can't train on a single one.
        extra_side: zeros that the aligned form adds below and on the right, where the last cells would not reach the
            image's end.
        side_step: with those zeros a side becomes a multiple of this plus one.
        transform_input: whether ImageNet's weights expect inputs of mean 0.5 and deviation 0.5.
        only_aligned: whether it has no form with the paper's padding.
    """

    classifier: Callable[[float], nn.Module]
    make_dense: Callable[[nn.Module, float, bool], None]
    stage_starts: tuple[str, str]
    channels: tuple[int, int, int]
    paper_rate: float | None
    imagenet: Callable[[], dict[str, Tensor]]
    dropped: tuple[str, ...]
    course_weights: bool = True
    smallest_side: int = 1
    extra_side: int = 0
    side_step: int = 1
    transform_input: bool = False
    only_aligned: bool = False

    def added(self, side: int) -> int:
        """The zeros that the aligned form adds to a side of so many pixels."""
        added = max(self.extra_side, self.smallest_side - side)
        return added + (1 - side - added) % self.side_step


BACKBONES = {
    "vgg16": Backbone(
        classifier=partial(torchvision_classifier, torchvision.models.vgg16),
        make_dense=dense_vgg16,
        stage_starts=("features.17", "features.24"),
        channels=(256, 512, 4096),
        paper_rate=1e-4,
        imagenet=partial(fetch_state, torchvision.models.VGG16_Weights.IMAGENET1K_V1),
        dropped=("classifier.6.",),
    ),
    "alexnet": Backbone(
        classifier=partial(torchvision_classifier, torchvision.models.alexnet),
        make_dense=dense_alexnet,
        stage_starts=("features.3", "features.6"),
        channels=(64, 192, 4096),
        paper_rate=1e-3,
        imagenet=partial(fetch_state, torchvision.models.AlexNet_Weights.IMAGENET1K_V1),
        dropped=("classifier.6.",),
        smallest_side=63,
        extra_side=31,
    ),
    "googlenet": Backbone(
        classifier=partial(
            torchvision_classifier, partial(torchvision.models.googlenet, aux_logits=False, init_weights=False)
        ),
        make_dense=dense_googlenet,
        stage_starts=("maxpool3", "maxpool4"),
        channels=(480, 832, 1024),
        paper_rate=5e-5,
        imagenet=partial(fetch_state, torchvision.models.GoogLeNet_Weights.IMAGENET1K_V1),
        dropped=("fc.", "aux1.", "aux2."),
        smallest_side=47,
        extra_side=16,
        transform_input=True,
    ),
    "efficientnet_lite0": Backbone(
        classifier=efficientnet_lite0,
        make_dense=dense_efficientnet_lite0,
        stage_starts=("blocks.3", "blocks.5"),
        channels=(40, 112, 320),
        paper_rate=None,
        imagenet=packaged_lite0,
        dropped=("conv_head.", "bn2.", "classifier."),
        course_weights=False,
        smallest_side=33,
        side_step=32,
        transform_input=True,
        only_aligned=True,
    ),
}
