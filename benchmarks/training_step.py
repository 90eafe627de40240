"""Time and memory of one FCN-8s training step at full width: the plain way beside the project's best.

    python -m benchmarks.training_step [--data DIR] [--repeats 5] [--out FILE]

The plain way takes one half-size photograph at a time, in float32 and contiguous memory, with padding 100, fc6 as a
convolution and Adam as it comes. The best way takes `--batch` at a time, aligned, in bfloat16 with channels last where
the processor multiplies bfloat16 (float32 elsewhere), fc6 as a matrix product, fused Adam, and an allocator told to
keep the memory that one step frees for the next, which costs memory and saves the system's clearing it anew. The two
alternate; each measurement is a process of its own, so that its settings and its peak memory are its own.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.devices import device_name, multiplies_bfloat16
from core.record import new_record, write_record
from core.training import seed_everything
from fcn.data_sets import find
from fcn.dataset import CLASSES, CMPFacade, collate
from fcn.layers import WholeMapConvolution
from fcn.models import FCN8s

CPU = torch.device("cpu")
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "68719476736"}  # read when a process starts


class PlainConvolution(WholeMapConvolution):
    """fc6 as torch computes a convolution."""

    def forward(self, features: Tensor) -> Tensor:
        return nn.Conv2d.forward(self, features)


def prepare(way: str) -> tuple[FCN8s, torch.optim.Optimizer, torch.autocast]:
    """The network, its optimiser and its precision."""
    seed_everything(0)
    plain = way == "plain"
    model = FCN8s(len(CLASSES), padding=100 if plain else "aligned")
    bfloat16 = not plain and multiplies_bfloat16(CPU)
    if plain:
        for layer in model.modules():
            if isinstance(layer, WholeMapConvolution):
                layer.__class__ = PlainConvolution
    elif bfloat16:
        model.to(memory_format=torch.channels_last)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(parameters, lr=1e-4, weight_decay=2e-5, fused=None if plain else True)
    return model, optimiser, torch.autocast("cpu", torch.bfloat16, enabled=bfloat16)


def measure(way: str, folder: Path, batch_size: int, steps: int) -> dict[str, float]:
    """Median seconds per image of each part of a step, after one step to warm up, and the peak memory in GiB."""
    model, optimiser, autocast = prepare(way)
    dataset = CMPFacade(folder, "train", scale=0.5)
    times: dict[str, list[float]] = {"forward": [], "backward": [], "optimiser": []}
    for step in range(steps + 1):
        first = step * batch_size
        image, label = collate([dataset[index % len(dataset)] for index in range(first, first + batch_size)])
        if way != "plain" and multiplies_bfloat16(CPU):
            image = image.contiguous(memory_format=torch.channels_last)
        marks = [time.perf_counter()]
        with autocast:
            logits = model(image)
        loss = functional.cross_entropy(logits, label, ignore_index=255)
        marks.append(time.perf_counter())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        marks.append(time.perf_counter())
        optimiser.step()
        marks.append(time.perf_counter())
        if step:
            for part, start, end in zip(times, marks, marks[1:]):
                times[part].append((end - start) / batch_size)
    medians = {part: statistics.median(values) for part, values in times.items()}
    medians["step"] = sum(medians.values())
    medians["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    medians["flops"] = step_flops(model, image) / batch_size
    return medians


def step_flops(model: nn.Module, image: Tensor) -> float:
    """Multiplications and additions of a forward and backward pass, counted by torch."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model(image).sum().backward()
    return counter.get_total_flops()


def peak_flops(dtype: torch.dtype) -> float:
    """Floating-point operations per second of the machine's best large matrix product."""
    a = torch.randn(4096, 4096).to(dtype)
    best = min(_seconds(lambda: a @ a) for _ in range(5))
    return 2 * 4096**3 / best


def _seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _in_a_process(way: str, folder: Path, batch_size: int, steps: int) -> dict[str, float]:
    os.environ.update(KEEP_MEMORY)
    if way == "plain":
        for name in KEEP_MEMORY:
            del os.environ[name]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (way, folder, batch_size, steps))


def main() -> None:
    """Runs the benchmark, prints the table and writes the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_step", description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="builtin", help="builtin, cmp or a folder")
    parser.add_argument("--batch", type=int, default=4, help="images a step, the best way")
    parser.add_argument("--repeats", type=int, default=3, help="alternations")
    parser.add_argument("--steps", type=int, default=3, help="timed steps in each")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks/training_step.json"))
    options = parser.parse_args()
    started = time.perf_counter()
    _, folder = find(options.data)
    results: dict[str, list[dict[str, float]]] = {"plain": [], "best": []}
    for repeat in range(options.repeats):
        for way, batch_size in (("plain", 1), ("best", options.batch)):
            results[way].append(_in_a_process(way, folder, batch_size, options.steps))
            print(f"{repeat + 1}/{options.repeats} {way:5} {results[way][-1]['step']:.2f} s per image", flush=True)
    bfloat16 = multiplies_bfloat16(CPU)
    peaks = {"plain": peak_flops(torch.float32), "best": peak_flops(torch.bfloat16 if bfloat16 else torch.float32)}
    table = {
        way: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for way, runs in results.items()
    }
    print(
        f"\n{device_name()}; data: {folder.name} at half size; seconds per image, medians of "
        f"{options.repeats} x {options.steps} steps"
    )
    print(f"{'':8}{'forward':>9}{'backward':>9}{'optimiser':>10}{'step':>8}{'peak GiB':>10}{'of matmul peak':>16}")
    for way, row in table.items():
        row["share_of_peak"] = row["flops"] / (row["forward"] + row["backward"]) / peaks[way]
        print(
            f"{way:8}{row['forward']:9.2f}{row['backward']:9.2f}{row['optimiser']:10.2f}{row['step']:8.2f}"
            f"{row['memory']:10.1f}{row['share_of_peak']:16.0%}"
        )
    ratios = [plain["step"] / best["step"] for plain, best in zip(results["plain"], results["best"])]
    print(
        f"best is {statistics.median(ratios):.1f} times faster per image "
        f"(of {options.repeats}: {min(ratios):.1f} to {max(ratios):.1f})"
    )
    record = new_record(
        f"python -m benchmarks.training_step --data DIR --batch {options.batch} --repeats {options.repeats} "
        f"--steps {options.steps}",
        {"data": folder.name, "batch": options.batch, "repeats": options.repeats, "steps": options.steps},
        started,
        data={"name": folder.name},
        measured={"bfloat16": bfloat16, "medians": table, "runs": results, "ratios": ratios, "matmul_flops": peaks},
    )
    write_record(record, options.out)


if __name__ == "__main__":
    main()
