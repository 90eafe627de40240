"""Plain and residual networks for small pictures, the same but for their shortcuts.

After He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2. Where a block halves the sides,
the shortcut takes every second pixel, as the paper's does; that of the exercises, which the course repeats, takes the
greatest of each 2 × 2.
"""

from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional

from core.checkpoint import load_network, read_configuration
from core.errors import CourseError, check_name
from fcn.geometry import Grid
from residual.initialisation import initialise

FILTERS = (16, 32, 64)  # of the three stages; the second and third begin with a stride of 2
# The exercises count convolutions alone and give the first stage a block less: 35 = 1 + 2 (5 + 6 + 6).
EXERCISE_BLOCKS = {35: (5, 6, 6), 53: (8, 9, 9)}
DEEPEST = 200  # blocks in each stage: the paper's 1202 layers
SHORTCUTS = ("identity", "projection", "none")
ACTIVATIONS = {"relu": functional.relu, "tanh": functional.tanh}


def blocks_per_stage(depth: int) -> tuple[int, int, int]:
    """How many blocks of two convolutions each of the three stages has.

    Args:
        depth: 6n + 2 (20, 32, 44, 56, 110, …), which counts the convolutions and the linear layer, as the paper
            does; or 35 or 53, the exercises' networks, which count the convolutions alone.

    Raises:
        CourseError: there is no network of this depth.
    """
    if depth in EXERCISE_BLOCKS:
        return EXERCISE_BLOCKS[depth]
    blocks, rest = divmod(depth - 2, 6)
    if rest or not 1 <= blocks <= DEEPEST:
        raise CourseError(f"There is no network of depth {depth}; choose 6n + 2, such as 8, 20 or 56, or 35 or 53.")
    return blocks, blocks, blocks


class ZeroPadded(nn.Module):
    """The identity where a block halves the sides and adds channels: every second pixel, and zeros (option A)."""

    def __init__(self, added_channels: int) -> None:
        super().__init__()
        self.added_channels = added_channels

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C + added_channels, ⌈H/2⌉, ⌈W/2⌉)."""
        return functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.added_channels))

    def grid(self, grid: Grid) -> Grid:
        """Where the cells lie after it."""
        return grid.convolve(1, stride=2)


class Block(nn.Module):
    """Two 3 × 3 convolutions F, and around them a shortcut s: a(F(x) + s(x)); without shortcut a(F(x)).

    Args:
        stride: of the first convolution.
        shortcut: "identity" (with zero padding where the size changes), "projection" (a 1 × 1 convolution there,
            the paper's option B), or "none".
        activation: "relu" or "tanh".
        batch_norm: BatchNorm behind each convolution; without it the convolutions have biases.
    """

    def __init__(
        self, channels_in: int, channels: int, stride: int, shortcut: str, activation: str, batch_norm: bool
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=not batch_norm)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=not batch_norm)
        self.norm1, self.norm2 = _norm(channels, batch_norm), _norm(channels, batch_norm)
        self.activation = ACTIVATIONS[activation]
        self.shortcut = None if shortcut == "none" else nn.Identity()
        if channels_in != channels and shortcut == "identity":
            self.shortcut = ZeroPadded(channels - channels_in)
        elif channels_in != channels and shortcut == "projection":
            projection = nn.Conv2d(channels_in, channels, 1, stride, bias=not batch_norm)
            self.shortcut = nn.Sequential(projection, _norm(channels, batch_norm))

    def residual(self, x: Tensor) -> Tensor:
        """F: what the block learns to add."""
        return self.norm2(self.conv2(self.activation(self.norm1(self.conv1(x)))))

    def forward(self, x: Tensor) -> Tensor:
        if self.shortcut is None:
            return self.activation(self.residual(x))
        return self.activation(self.residual(x) + self.shortcut(x))

    def paths(self) -> list[list[nn.Module]]:
        """The block's parallel paths, for `fcn.geometry`."""
        residual = [self.conv1, self.conv2]
        return [residual] if self.shortcut is None else [residual, [self.shortcut]]


class Network(nn.Module):
    """A convolution, three stages of blocks with 16, 32 and 64 filters, the mean over all pixels, a linear layer.

    Args:
        depth: see `blocks_per_stage`.
        shortcut: "identity", "projection" or "none" (a plain network).
        activation: "relu" or "tanh".
        batch_norm: BatchNorm behind each convolution.
        initialisation: a name of `residual.initialisation.INITIALISATIONS`.

    Raises:
        CourseError: there is no such depth, shortcut, activation or initialisation.

    Attributes:
        configuration: the arguments, as a weights file holds them.
    """

    def __init__(
        self,
        depth: int = 20,
        shortcut: str = "identity",
        activation: str = "relu",
        batch_norm: bool = True,
        initialisation: str = "he",
        num_classes: int = 10,
    ) -> None:
        super().__init__()
        self.configuration = {
            "depth": depth,
            "shortcut": shortcut,
            "activation": activation,
            "batch_norm": batch_norm,
            "initialisation": initialisation,
            "num_classes": num_classes,
        }
        check_name("shortcut", shortcut, SHORTCUTS)
        check_name("activation", activation, ACTIVATIONS)
        self.stem = nn.Conv2d(3, FILTERS[0], 3, padding=1, bias=not batch_norm)
        self.stem_norm = _norm(FILTERS[0], batch_norm)
        self.activation = ACTIVATIONS[activation]
        blocks, channels = [], FILTERS[0]
        for stage, (filters, count) in enumerate(zip(FILTERS, blocks_per_stage(depth))):
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                blocks.append(Block(channels, filters, stride, shortcut, activation, batch_norm))
                channels = filters
        self.blocks = nn.Sequential(*blocks)
        self.linear = nn.Linear(channels, num_classes)
        initialise(self, initialisation)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) normalised pictures, 32 × 32 in the paper → (N, num_classes) logits."""
        return self.linear(self.features(x).mean(dim=(2, 3)))

    def features(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) normalised pictures → (N, 64, H/4, W/4): what is averaged over its cells for the logits."""
        return self.blocks(self.activation(self.stem_norm(self.stem(x))))

    def paths(self) -> list[list[nn.Module]]:
        """The layers in their order, for `fcn.geometry`."""
        return [[self.stem, self.blocks]]


def from_weights(path: str | Path) -> Network:
    """The network in a weights file, in eval mode.

    Raises:
        CourseError: there is no such file, or it isn't one of these networks.
    """
    return load_network(path, lambda: Network(**read_configuration(path))).eval()


def main_convolutions(model: nn.Module) -> dict[str, nn.Conv2d]:
    """The 3 × 3 convolutions by name, in order from the input; projections of shortcuts are none of them."""
    return {
        name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d) and "shortcut" not in name
    }


def _norm(channels: int, batch_norm: bool) -> nn.Module:
    return nn.BatchNorm2d(channels) if batch_norm else nn.Identity()
