"""What class activation maps cost beside a bare forward pass: `python -m benchmarks.cam_speed`.

ResNet-18 at 224 × 224, batches of 1 and 32. CAM and Grad-CAM include the aligned upsampling to full size. Times
are processor time on one thread: on a busy machine several threads wait for one another longer than they compute,
and every ratio comes out near 1. The methods take turns, and the median over the rounds is given, with the range
of the ratios' middle half. Memory is the growth of the process's peak over a process that only holds network and
batch, each in a process of its own. captum's and pytorch-grad-cam's figures stand beside ours where installed.
"""

import argparse
import multiprocessing
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from cam.cam import class_activation_map
from cam.gradcam import grad_cam
from cam.layers import layer_grid
from cam.resnet import ResNet18, resnet18
from cam.upsampling import upsample_aligned

SIZE = (224, 224)
Method = Callable[[ResNet18, Tensor], object]


@torch.no_grad()
def bare_forward(model: ResNet18, x: Tensor) -> object:
    return model(x)


@torch.no_grad()
def cam(model: ResNet18, x: Tensor) -> object:
    logits, features = model(x)
    maps = class_activation_map(features, model.fc.weight, logits.argmax(dim=1))
    return upsample_aligned(maps, SIZE, layer_grid(model, "layer4"))


def our_grad_cam(model: ResNet18, x: Tensor) -> object:
    maps = grad_cam(model, x, torch.zeros(len(x), dtype=torch.long), "layer4", relu=True)
    return upsample_aligned(maps, SIZE, layer_grid(model, "layer4"))


def captum_grad_cam(model: ResNet18, x: Tensor) -> object:
    from captum.attr import LayerAttribution, LayerGradCam

    method = LayerGradCam(LogitsOnly(model), model.layer4)
    return LayerAttribution.interpolate(method.attribute(x, target=0, relu_attributions=True), SIZE, "bilinear")


def pytorch_grad_cam(model: ResNet18, x: Tensor) -> object:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    with GradCAM(LogitsOnly(model), [model.layer4]) as method:
        return method(x, targets=[ClassifierOutputTarget(0)] * len(x))


class LogitsOnly(nn.Module):
    """The same network for packages that want no tuple."""

    def __init__(self, model: ResNet18) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)[0]


METHODS: dict[str, Method] = {
    "bare forward": bare_forward,
    "CAM": cam,
    "Grad-CAM": our_grad_cam,
    "captum LayerGradCam": captum_grad_cam,
    "pytorch-grad-cam": pytorch_grad_cam,
}


def set_up(batch_size: int) -> tuple[ResNet18, Tensor]:
    torch.manual_seed(0)
    return resnet18().eval(), torch.randn(batch_size, 3, *SIZE)


def installed(method: Method) -> bool:
    try:
        method(*set_up(1))
    except ImportError:
        return False
    return True


def ratios(methods: dict[str, Method], batch_size: int, rounds: int) -> dict[str, tuple[float, list[float]]]:
    """Each method's median seconds, and the quartiles of its ratio to the bare forward of the same round."""
    model, x = set_up(batch_size)
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for round_number in range(rounds + 2):
        for name, method in methods.items():
            started = time.process_time()
            method(model, x)
            if round_number >= 2:  # the first two rounds warm up
                seconds[name].append(time.process_time() - started)
    bare = seconds["bare forward"]
    return {
        name: (statistics.median(times), statistics.quantiles([t / b for t, b in zip(times, bare)]))
        for name, times in seconds.items()
    }


def peak_memory(name: str | None, batch_size: int) -> int:
    """Peak resident memory in KiB of this process, after one run of the method (None: of the set-up alone).

    Read from Linux's /proc, since getrusage's peak would start from that of the process that started this one.
    """
    model, x = set_up(batch_size)
    if name is not None:
        METHODS[name](model, x)
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cam_speed", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    methods = {name: method for name, method in METHODS.items() if installed(method)}
    for name in METHODS.keys() - methods.keys():
        print(f"{name}: not installed")
    alone = multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1)
    print(f"1 thread, processor time, {options.rounds} rounds")
    print(f"{'':20}  batch  milliseconds  ratio (middle half)  peak memory growth (MiB)")
    for batch_size in (1, 32):
        base = alone.apply(peak_memory, (None, batch_size))
        for name, (seconds, (low, ratio, high)) in ratios(methods, batch_size, options.rounds).items():
            growth = (alone.apply(peak_memory, (name, batch_size)) - base) / 1024
            print(
                f"{name:20}  {batch_size:5}  {1000 * seconds:12.1f}  {ratio:5.2f} ({low:.2f} to {high:.2f})  "
                f"{growth:24.0f}"
            )


if __name__ == "__main__":
    main()
