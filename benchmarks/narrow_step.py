"""One training step of the narrow networks, beside what it was: `python -m benchmarks.narrow_step`.

FCN-32s and FCN-8s of an eighth of the channels on drawings at half size, four a step, as the quick notebooks train
them. Before: the last upsampling is the paper's transposed convolution with its crop, and fc6's weight lies in the
convolutions' memory format, so that each step copies it into a matrix. Now: two matrix products, and a weight that
stays a matrix. Both begin with the same weights and must give the same scores. They take turns in one process; medians
of processor time on one thread, and the ratios of the same rounds.

Beside them the floor: what the step's own products would take at the speed of a large matrix product on this processor,
with all else for nothing.
"""

import argparse
import statistics
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.training_step import peak_flops, step_flops
from core.files import ROOT
from core.record import new_record, write_record
from core.training import seed_everything
from fcn.data_sets import load_splits
from fcn.dataset import collate
from fcn.geometry import Grid, bilinear_kernel
from fcn.layers import BilinearUpsampling, LearnedUpsampling, ScoreLayer, WholeMapConvolution
from fcn.losses import pixel_loss
from fcn.models import FCN, FCN8s, FCN32s
from fcn.recipes import recipe
from fcn.weights import COURSE_WIDTH

OUT = ROOT / "files" / "benchmarks" / "narrow_step.json"
BATCH_SIZE = 4
NETWORKS = {"FCN-32s": FCN32s, "FCN-8s": FCN8s}


class PaperUpsampling(nn.Module):
    """The last upsampling as a transposed convolution of fixed, bilinear weights, and its crop."""

    def __init__(self, classes: int, cells: Grid) -> None:
        super().__init__()
        kernel, self.crop = bilinear_kernel(cells.widened(1), Grid())
        self.dense = LearnedUpsampling(classes, kernel, stride=int(cells.step), extend=True).requires_grad_(False)

    def forward(self, scores: Tensor, height: int, width: int) -> Tensor:
        return self.dense(scores)[..., self.crop : self.crop + height, self.crop : self.crop + width]


class Trainer:
    """A network and its steps, in one of the two forms."""

    def __init__(self, network: type[FCN], classes: int, before: bool) -> None:
        seed_everything(0)
        self.model = network(classes, width=COURSE_WIDTH, padding="aligned")
        for name, layer in list(self.model.named_children()):
            if isinstance(layer, ScoreLayer):  # zero scores would be the same in every form
                nn.init.normal_(layer.weight, std=0.01)
            elif before and isinstance(layer, BilinearUpsampling):
                setattr(self.model, name, PaperUpsampling(classes, layer.cells))
        self.model.to(memory_format=torch.channels_last)
        for layer in self.model.modules():
            if before and isinstance(layer, WholeMapConvolution):
                layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)
        training = recipe("course", "vgg16", COURSE_WIDTH, 1, "float32", 0).first
        self.optimiser = training.make_optimiser(self.model)

    def scores(self, image: Tensor) -> Tensor:
        self.model.eval()
        with torch.inference_mode():
            return self.model(image)

    def step(self, image: Tensor, label: Tensor) -> float:
        """Processor time of one step, seconds."""
        self.model.train()
        started = time.process_time()
        self.optimiser.zero_grad()
        pixel_loss(self.model(image), label).backward()
        self.optimiser.step()
        return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.narrow_step", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    started = time.perf_counter()
    torch.set_num_threads(1)
    train, _, _ = load_splits("builtin", 0.5)
    image, label = collate([train[index] for index in range(BATCH_SIZE)])
    image = image.contiguous(memory_format=torch.channels_last)
    measured = {}
    peak = peak_flops(torch.float32)
    for name, network in NETWORKS.items():
        ways = {way: Trainer(network, len(train.classes), way == "before") for way in ("before", "now")}
        before, now = (trainer.scores(image) for trainer in ways.values())
        difference = (before - now).abs().max().item()
        assert difference < 1e-5 and now.std() > 0, f"the scores of {name} differ by {difference}"
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for round_number in range(options.rounds + 2):
            for way, trainer in ways.items():
                spent = trainer.step(image, label)
                if round_number >= 2:  # the first two warm up
                    seconds[way].append(spent)
        floor = step_flops(ways["now"].model, image) / peak
        low, ratio, high = statistics.quantiles([a / b for a, b in zip(seconds["before"], seconds["now"])])
        measured[name] = {
            **{f"{way}_seconds": statistics.median(times) for way, times in seconds.items()},
            "floor_seconds": floor,
            "ratio": ratio,
            "ratio_low": low,
            "ratio_high": high,
            "scores_differ_by": difference,
        }
        medians = ", ".join(f"{way} {1000 * statistics.median(times):.0f} ms" for way, times in seconds.items())
        print(
            f"{name:8} {medians}, {ratio:.2f} times ({low:.2f} to {high:.2f}), the floor {1000 * floor:.0f} ms; "
            f"scores differ by {difference:.1e}"
        )
    record = new_record(
        f"python -m benchmarks.narrow_step --rounds {options.rounds}",
        {"threads": 1, "batch_size": BATCH_SIZE, "rounds": options.rounds, "pixels": list(image.shape[-2:])},
        started,
        data={"name": "builtin", "sha256": train.sha256()},
        measured=measured,
    )
    write_record(record, options.out)


if __name__ == "__main__":
    main()
