"""A network in numbers: parameters, depth, receptive field, stride (FCN paper, table 1), and cost by kind of layer."""

import statistics
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision.models.googlenet import Inception

from fcn.backbones import Trunk
from fcn.geometry import Grid, bilinear_kernel
from fcn.layers import BilinearUpsampling, LearnedUpsampling, ScoreLayer, WholeMapConvolution
from fcn.models import FCN

KINDS = ("convolution", "former linear layer", "score layer", "upsampling", "pooling", "other")


@dataclass(frozen=True)
class Summary:
    """A network's row in table 1 of the paper, without its scores.

    Attributes:
        parameters: of the trunk, without the score layer.
        depth: convolutions on the longest path from the image to the scores, the score layer among them.
        receptive_field: side of the square of pixels that a score cell sees.
        step: pixels between score cells.
    """

    parameters: int
    depth: int
    receptive_field: int
    step: int


def summarise(trunk: Trunk) -> Summary:
    """The numbers of a trunk with one score layer behind it."""
    grid = trunk.grids[-1]
    return Summary(
        sum(p.numel() for p in trunk.parameters()),
        longest_path(trunk.children()) + 1,
        int(grid.receptive_field),
        int(grid.step),
    )


def longest_path(layers: Iterable[nn.Module]) -> int:
    """Convolutions that the signal passes, at most, in these layers applied one after another; branches are known of
    GoogLeNet's inception blocks only."""
    passed = 0
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            passed += 1
        elif isinstance(layer, Inception):
            passed += max(longest_path([branch]) for branch in layer.children())
        else:
            passed += longest_path(layer.children())
    return passed


def forward_seconds(model: nn.Module, image: Tensor, rounds: int = 3) -> float:
    """The median time of a forward pass in eval mode, after one on a quarter of the pixels that warms up."""
    model.eval()
    seconds = []
    with torch.inference_mode():
        model(image[..., ::2, ::2])
        for _ in range(rounds):
            if image.is_cuda:
                torch.cuda.synchronize()
            started = time.perf_counter()
            model(image)
            if image.is_cuda:
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


class TransposedUpsampling(LearnedUpsampling):
    """A network's last upsampling as the paper has it: a transposed convolution that stays bilinear, and a crop.

    Put in the place of the two matrix products it gives the same scores.

    Args:
        products: the upsampling that it stands for.
        channels: classes.
    """

    def __init__(self, products: BilinearUpsampling, channels: int) -> None:
        cells = products.cells.widened(1) if products.extend else products.cells
        kernel, crop = bilinear_kernel(cells, Grid())
        super().__init__(channels, kernel, int(products.cells.step), products.extend)
        self.requires_grad_(False)
        self.crop = crop

    def forward(self, scores: Tensor, height: int, width: int) -> Tensor:
        """(N, channels, h, w) → (N, channels, height, width)."""
        return super().forward(scores)[..., self.crop : self.crop + height, self.crop : self.crop + width]


@dataclass
class Cost:
    """Time and memory of the layers of one kind.

    Attributes:
        forward_seconds, backward_seconds: the second for the gradients of input and weights.
        output_bytes: what they add to a training step's memory; a layer that works in place adds nothing.
        weight_bytes: weights and their gradients.
    """

    forward_seconds: float = 0.0
    backward_seconds: float = 0.0
    output_bytes: int = 0
    weight_bytes: int = 0


def profile_layers(model: FCN, image: Tensor, rounds: int = 3, kinds: Collection[str] = KINDS) -> dict[str, Cost]:
    """The costs of a training step without the optimiser, by kind of layer; each time is a median over the rounds.

    A pass through the network notes what each layer is given; then every layer runs by itself, forward and backward, on
    the same input. So the shares don't depend on what the processor was still busy with, as times taken in passing do.

    Args:
        image: (N, 3, H, W).
        kinds: of `KINDS`, those to measure.
    """
    given: list[tuple[str, nn.Module, Tensor, int]] = []

    def note(kind: str) -> Callable:
        def hook(layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
            is_new = output.data_ptr() != inputs[0].data_ptr()
            given.append((kind, layer, inputs[0].detach(), inputs[1:], is_new * output.untyped_storage().nbytes()))

        return hook

    leaves = [layer for layer in model.modules() if not list(layer.children())]
    handles = [layer.register_forward_hook(note(_kind(layer))) for layer in leaves]
    model.train()
    model(image)
    for handle in handles:
        handle.remove()
    costs = {kind: Cost() for kind in kinds}
    for number, (kind, layer, features, others, output_bytes) in enumerate(given):
        if kind not in kinds:
            continue
        forward, backward = _times(layer, features.requires_grad_(number > 0), others, rounds)
        cost = costs[kind]
        cost.forward_seconds += forward
        cost.backward_seconds += backward
        cost.output_bytes += output_bytes
        cost.weight_bytes += sum(p.numel() * p.element_size() * (1 + p.requires_grad) for p in layer.parameters())
    model.zero_grad(set_to_none=True)
    return costs


def _kind(layer: nn.Module) -> str:
    if isinstance(layer, LearnedUpsampling | BilinearUpsampling):
        return "upsampling"
    if isinstance(layer, ScoreLayer):
        return "score layer"
    if isinstance(layer, WholeMapConvolution):
        return "former linear layer"
    if isinstance(layer, nn.Conv2d):
        return "convolution"
    return "pooling" if isinstance(layer, nn.MaxPool2d | nn.AdaptiveAvgPool2d) else "other"


def _times(layer: nn.Module, features: Tensor, others: Sequence[int], rounds: int) -> tuple[float, float]:
    """Median seconds of one layer's forward and backward, after a round that warms up."""
    forward, backward = [], []
    for _ in range(rounds + 1):
        own = features * 1  # a layer may work in place, but not on a tensor whose gradient is asked for
        started = time.perf_counter()
        output = layer(own, *others)
        middle = time.perf_counter()
        if output.requires_grad:
            output.backward(torch.ones_like(output))
        forward.append(middle - started)
        backward.append(time.perf_counter() - middle)
    return statistics.median(forward[1:]), statistics.median(backward[1:])
