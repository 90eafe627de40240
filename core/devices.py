"""Where to compute and in which precision; and the device's name, which belongs to a figure."""

import platform
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor


def device_name() -> str:
    """The GPU's name, or the processor's and torch's number of threads, which decides the last digits."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    if torch.backends.mps.is_available():
        return f"mps: {processor_name()}"
    return f"cpu: {processor_name()}, {torch.get_num_threads()} threads"


def processor_name() -> str:
    """The processor's name as Linux gives it; elsewhere, what Python knows."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def best_device() -> torch.device:
    """The GPU where there is one, otherwise the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16 products (tensor cores, AMX); otherwise it only emulates."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and bool(torch.cpu.get_capabilities().get("amx_tile"))


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context in which a network computes in a precision.

    Args:
        precision: "float32", "bfloat16", or "auto": bfloat16 where the hardware multiplies it.
    """
    enabled = precision == "bfloat16" or (precision == "auto" and multiplies_bfloat16(device))
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


def on_device(batches: Iterable[tuple[Tensor, Tensor]], device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields batches of images (N, C, H, W) and their targets on a device, the images in channels-last memory."""
    for images, targets in batches:
        yield (
            images.to(device, memory_format=torch.channels_last, non_blocking=True),
            targets.to(device, non_blocking=True),
        )
