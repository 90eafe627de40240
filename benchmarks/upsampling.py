"""What the last upsampling costs, four ways: `python -m benchmarks.upsampling`.

A batch of four maps of 5 × 6 cells and 12 classes, 32 pixels apart, to 160 × 192 pixels, forward and backward: as two
matrix products, as the paper's transposed convolution with its crop, as the same convolution class by class, and with
torch's own interpolation, which gives the same map on sides of 32 k alone. The methods take turns, and the median
processor time on one thread over the rounds is given, as for `benchmarks.cam_speed`.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from fcn.geometry import Grid, bilinear_kernel
from fcn.layers import BilinearUpsampling, LearnedUpsampling

CLASSES, SIZE = 12, (160, 192)
CELLS = Grid(start=15.5, step=32)


def methods() -> dict[str, Callable[[Tensor], Tensor]]:
    kernel, cut = bilinear_kernel(CELLS.widened(1), Grid())
    rows, columns = (slice(cut, cut + side) for side in SIZE)
    dense = LearnedUpsampling(CLASSES, kernel, stride=32).requires_grad_(False)
    by_class = dense.weight[range(CLASSES), range(CLASSES)][:, None]

    def widened(scores: Tensor) -> Tensor:
        return functional.pad(scores, (1, 1, 1, 1), mode="replicate")

    products = BilinearUpsampling(CELLS, extend=True)
    return {
        "matrix products": lambda scores: products(scores, *SIZE),
        "transposed convolution": lambda scores: dense(widened(scores))[..., rows, columns],
        "the same, class by class": lambda scores: functional.conv_transpose2d(
            widened(scores), by_class, stride=32, groups=CLASSES
        )[..., rows, columns],
        "interpolate": lambda scores: functional.interpolate(scores, SIZE, mode="bilinear"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upsampling", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    scores = torch.randn(4, CLASSES, SIZE[0] // 32, SIZE[1] // 32, requires_grad=True)
    compared, seconds = methods(), {}
    expected = compared["matrix products"](scores)
    for name, method in compared.items():
        assert torch.allclose(method(scores), expected, atol=1e-5), name
    for _ in range(options.rounds):
        for name, method in compared.items():
            started = time.process_time()
            method(scores).sum().backward()
            seconds.setdefault(name, []).append(time.process_time() - started)
    fastest = statistics.median(seconds["matrix products"])
    print(f"1 thread, processor time, {options.rounds} rounds")
    for name, times in seconds.items():
        median = statistics.median(times)
        print(f"{name:26} {1000 * median:8.1f} ms {median / fastest:6.1f} times")


if __name__ == "__main__":
    main()
