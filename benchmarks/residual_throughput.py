"""Training pictures per second, beside a plain DataLoader loop: `python -m benchmarks.residual_throughput`.

ResNet-20, batches of 128 pictures of 32 × 32. Plain: torchvision's transforms picture by picture in a DataLoader of one
process, float32, memory as it comes. Ours: one tensor, cropped and mirrored by the batch, channels last, bfloat16 where
the hardware multiplies it. Before that, every precision and memory format for the networks alone. All ways take turns;
medians over the rounds, and the middle half of the ratios. On a processor the time is that of one thread of this
process, whatever else runs; on a GPU it is the clock's.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from core.devices import best_device, multiplies_bfloat16
from core.files import ROOT
from core.record import new_record, write_record
from core.training import seed_everything
from residual.data import PictureSet, augment, load, normalise
from residual.networks import Network
from residual.training import MOMENTUM, shuffled

OUT = ROOT / "files" / "benchmarks" / "residual_throughput.json"
BATCH_SIZE = 128
BATCHES = 4  # in a measurement
NETWORKS = {"plain 20": (20, "none"), "residual 20": (20, "identity"), "residual 56": (56, "identity")}
FORMATS = {
    (precision, order): (dtype, memory)
    for precision, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16))
    for order, memory in (("channels first", torch.contiguous_format), ("channels last", torch.channels_last))
}
DEVICE = best_device()


class OneByOne(Dataset):
    """Pictures as torchvision's CIFAR10 gives them: a PIL image, transformed by itself."""

    def __init__(self, pictures: PictureSet) -> None:
        self.arrays, self.labels = pictures.images.permute(0, 2, 3, 1).numpy(), pictures.labels.tolist()
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(32, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize((0.5,) * 3, (0.25,) * 3),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.arrays[index])), self.labels[index]


def plain_batches(pictures: PictureSet) -> Iterator[tuple[Tensor, Tensor]]:
    for x, labels in DataLoader(OneByOne(pictures), BATCH_SIZE, shuffle=True, drop_last=True):
        yield x.to(DEVICE), labels.to(DEVICE)


def our_batches(pictures: PictureSet) -> Iterator[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    for batch in shuffled(pictures, BATCH_SIZE, generator):
        yield augment(normalise(batch.images), generator), batch.labels


class Trainer:
    """A network with its optimiser, in one precision and memory format."""

    def __init__(self, depth: int, shortcut: str, dtype: torch.dtype, memory: torch.memory_format) -> None:
        seed_everything(0)
        self.dtype, self.memory = dtype, memory
        self.model = Network(depth, shortcut).to(DEVICE, memory_format=memory)
        self.optimiser = torch.optim.SGD(
            self.model.parameters(), 0.01, MOMENTUM, nesterov=True, fused=memory == torch.channels_last
        )

    def train(self, batches: Iterator[tuple[Tensor, Tensor]]) -> None:
        for x, labels in batches:
            with torch.autocast(DEVICE.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16):
                logits = self.model(x.contiguous(memory_format=self.memory))
            loss = functional.cross_entropy(logits.float(), labels)
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()


def rates(ways: dict[str, Callable[[], None]], pictures: int, rounds: int) -> dict[str, list[float]]:
    """Pictures per second of each way, one figure a round; the ways take turns, and a first round warms up."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(rounds + 1):
        for name, way in ways.items():
            started = _now()
            way()
            if round_number > 0:
                found[name].append(pictures / (_now() - started))
    return found


def compared(found: dict[str, list[float]], base: str) -> dict[str, dict[str, float]]:
    """Each way's median, and its ratio to the base in the same round: median and quartiles."""
    rows = {}
    for name, values in found.items():
        low, middle, high = statistics.quantiles([value / other for value, other in zip(values, found[base])])
        rows[name] = {
            "pictures_per_second": round(statistics.median(values), 1),
            "ratio": round(middle, 2),
            "ratio_low": round(low, 2),
            "ratio_high": round(high, 2),
        }
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.residual_throughput", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    started = time.perf_counter()
    torch.set_num_threads(1)
    count = BATCH_SIZE * BATCHES
    pictures = load("builtin").train.subset(slice(count))
    near = pictures.to(DEVICE)
    fixed = list(our_batches(near))[:1]
    results = {"formats": {}}
    for name, network in NETWORKS.items():
        trainers = {", ".join(key): Trainer(*network, *values) for key, values in FORMATS.items()}
        ways = {key: lambda trainer=trainer: trainer.train(fixed) for key, trainer in trainers.items()}
        results["formats"][name] = compared(rates(ways, BATCH_SIZE, options.rounds), "float32, channels first")
    best = torch.bfloat16 if multiplies_bfloat16(DEVICE) else torch.float32
    plain = Trainer(20, "identity", torch.float32, torch.contiguous_format)
    ours = Trainer(20, "identity", best, torch.channels_last)
    reading = {"plain": lambda: list(plain_batches(pictures)), "ours": lambda: list(our_batches(near))}
    training = {"plain": lambda: plain.train(plain_batches(pictures)), "ours": lambda: ours.train(our_batches(near))}
    for key, ways in (("reading", reading), ("training", training)):
        results[key] = compared(rates(ways, count, options.rounds), "plain")
    for title, rows in [*results["formats"].items(), *((key, results[key]) for key in ("reading", "training"))]:
        for name, row in rows.items():
            print(
                f"{title:12} {name:26} {row['pictures_per_second']:8.0f} pictures/s  ratio {row['ratio']:5.2f} "
                f"({row['ratio_low']:.2f} to {row['ratio_high']:.2f})"
            )
    record = new_record(
        f"python -m benchmarks.residual_throughput --rounds {options.rounds}",
        {"threads": torch.get_num_threads(), "batch_size": BATCH_SIZE, "rounds": options.rounds},
        started,
        measured=results,
    )
    write_record(record, OUT)


def _now() -> float:
    if DEVICE.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


if __name__ == "__main__":
    main()
