"""Layers of fully convolutional networks that torch doesn't have, each of which knows where its cells lie."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

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
        """What `nn.Module.to` and its like do to each parameter."""
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
        features = functional.pad(features, (before, self.after, before, self.after))
        if features.device.type != "cpu" or kernel == 1:
            return functional.conv2d(features, self.weight, self.bias)
        rows, columns = (side - kernel + 1 for side in features.shape[-2:])
        cells = functional.unfold(features, kernel).transpose(1, 2)  # (N, cells, inputs * kernel²)
        outputs = functional.linear(cells, self.weight.flatten(1), self.bias)
        return outputs.transpose(1, 2).unflatten(2, (rows, columns))


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
            self.weight[range(channels), range(channels)] = torch.outer(ramp, ramp)

    def forward(self, scores: Tensor) -> Tensor:
        """(N, channels, h, w) → (N, channels, about h * stride, about w * stride)."""
        if self.extend:
            scores = functional.pad(scores, (1, 1, 1, 1), mode="replicate")
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
        return rows @ scores @ columns.T

    def _weights(self, pixels: int, cells: int, like: Tensor) -> Tensor:
        """(pixels, cells): what each cell along a side adds to each pixel."""
        places = self.cells.start + self.cells.step * torch.arange(cells, device=like.device, dtype=like.dtype)
        pixel = torch.arange(pixels, device=like.device, dtype=like.dtype)
        if self.extend:
            pixel = pixel.clamp(places[0], places[-1])
        return (1 - (pixel[:, None] - places).abs() / self.cells.step).clamp(min=0)
