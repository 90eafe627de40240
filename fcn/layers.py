"""Layers of fully convolutional networks that torch doesn't have, each of which knows where its cells lie."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fcn.geometry import Grid


class WholeMapConvolution(nn.Conv2d):
    """A former linear layer: a convolution with a kernel as large as the map it was trained on.

    On few cells and many channels it is one matrix product of the unfolded cells with the weight; computed as such
    it trains several times faster on a CPU (`python -m benchmarks.training_step`). There its weight stays the matrix
    it is, whatever memory format the network is moved to: else each step would copy the weight, and its gradient back.

    Args:
        inputs, outputs: channels.
        kernel: side of the kernel, in cells.
        before, after: zeros left and above, right and below; they differ where the kernel is even.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, before: int = 0, after: int = 0) -> None:
        super().__init__(inputs, outputs, kernel, padding=before)
        self.after = after

    def _apply(self, move: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        """Moves the parameters, as `nn.Module.to` and its like do."""
        super()._apply(move, recurse)
        if self.weight.device.type == "cpu":
            self.weight.data = self.weight.data.contiguous()
        return self

    def grid(self, grid: Grid) -> Grid:
        """Where its cells lie: the zeros before the first ones decide."""
        return grid.convolve(self.kernel_size[0], padding=self.padding[0])

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, h, w) → (N, outputs, h + before + after - kernel + 1, …)."""
        before, kernel = self.padding[0], self.kernel_size[0]
        features = F.pad(features, (before, self.after, before, self.after))
        if features.device.type != "cpu" or kernel == 1:
            return F.conv2d(features, self.weight, self.bias)
        rows, columns = (side - kernel + 1 for side in features.shape[-2:])
        cells = F.unfold(features, kernel).transpose(1, 2)  # (N, cells, inputs * kernel²)
        outputs = F.linear(cells, self.weight.flatten(1), self.bias)
        return outputs.transpose(1, 2).unflatten(2, (rows, columns))


class ScoreLayer(nn.Conv2d):
    """A 1 × 1 convolution from features to a score for each class, which starts at zero.

    It computes in float32 under autocast too, as the upsamplings do: bfloat16 costs the scores their precision, and on
    some processors the narrow convolution's bfloat16 gradient is broken.

    Args:
        features: channels that come in.
        classes: channels that come out.
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__(features, classes, kernel_size=1)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, features: Tensor) -> Tensor:
        """(N, features, h, w) → (N, classes, h, w), in the weights' precision."""
        with torch.autocast(features.device.type, enabled=False):
            return super().forward(features.to(self.weight.dtype))


class LearnedUpsampling(nn.ConvTranspose2d):
    """A transposed convolution that starts as bilinear interpolation, each class by itself (paper, section 3.3).

    Args:
        channels: classes.
        kernel: 2 * stride, or 2 * stride - 1 where cells lie on whole pixels.
        stride: the factor.
        extend: repeat the outermost cells first, so that the border isn't mixed with zeros.
    """

    def __init__(self, channels: int, kernel: int, stride: int, extend: bool = False) -> None:
        super().__init__(channels, channels, kernel, stride, bias=False)
        self.extend = extend
        ramp = 1 - (torch.arange(kernel) - (kernel - 1) / 2).abs() / stride
        with torch.no_grad():
            self.weight.zero_()
            self.weight.diagonal().copy_(torch.outer(ramp, ramp)[..., None])

    def forward(self, scores: Tensor) -> Tensor:
        """(N, channels, h, w) → (N, channels, about h * stride, about w * stride)."""
        if self.extend:
            scores = F.pad(scores, (1, 1, 1, 1), mode="replicate")
        with torch.autocast(scores.device.type, enabled=False):
            return super().forward(scores)

    def grid(self, grid: Grid) -> Grid:
        """Where the cells lie after it."""
        return (grid.widened(1) if self.extend else grid).upsample(self.kernel_size[0], self.stride[0])


class BilinearUpsampling(nn.Module):
    """Bilinear interpolation of scores to the image's pixels, which the paper keeps fixed (section 4.3).

    A pixel's score is the mean of the cells around it, each weighted by 1 - distance / step along both sides: two
    matrix products, rows · scores · columnsᵀ. The paper's transposed convolution and its crop give the same scores
    with many times the work (`python -m benchmarks.upsampling`).

    Args:
        cells: where the scores' cells lie.
        extend: beyond the outermost cells their scores are repeated; else they fade to zero, as at the border of a
            transposed convolution.
    """

    def __init__(self, cells: Grid, extend: bool) -> None:
        super().__init__()
        self.cells, self.extend = cells, extend

    def forward(self, scores: Tensor, height: int, width: int) -> Tensor:
        """(N, channels, h, w) → (N, channels, height, width), the pixels from the image's first one on."""
        rows = self._weights(height, scores.shape[-2], scores)
        columns = self._weights(width, scores.shape[-1], scores)
        with torch.autocast(scores.device.type, enabled=False):
            return rows @ scores @ columns.T

    def _weights(self, pixels: int, cells: int, like: Tensor) -> Tensor:
        """(pixels, cells): the weight of each cell along a side in each pixel."""
        places = self.cells.start + self.cells.step * torch.arange(cells, device=like.device, dtype=like.dtype)
        pixel = torch.arange(pixels, device=like.device, dtype=like.dtype)
        if self.extend:
            pixel = pixel.clamp(places[0], places[-1])
        return (1 - (pixel[:, None] - places).abs() / self.cells.step).clamp(min=0)


def crop_to_shared(upscore: Tensor, score: Tensor, first: int) -> tuple[Tensor, Tensor]:
    """The two maps on the cells that they share: one of them is cropped to the other.

    Args:
        upscore: (N, C, h, w), upsampled from coarser cells.
        score: (N, C, h', w'), of a finer stage.
        first: where upscore's first cell lies on score's cells; negative if it lies before them.
    """
    if first > 0:
        return upscore, _crop(score, first, upscore)
    return _crop(upscore, -first, score), score


def _crop(scores: Tensor, first: int, like: Tensor) -> Tensor:
    height, width = like.shape[-2:]
    return scores[..., first : first + height, first : first + width]
