"""The exercises' gradient experiment: how large the weight gradients of an early and a late layer are in 50 steps.

The networks and the training are those of github.com/MarcoBessi23/LabCNNandResNet: default initialisation, batches of
128, SGD with a learning rate of 0.001, momentum 0.9 and a weight decay of 1e-5. "Average gradient" there is the
Frobenius norm of a layer's weight gradient, averaged over the steps.
"""

import itertools
import statistics
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from core.errors import CourseError, check_name
from core.files import ROOT
from core.plotting import LINE_COLOURS
from core.progress import Progress
from core.training import seed_everything
from fcn.losses import class_loss
from fcn.trainer import train_epoch
from residual.data import PictureSet, normalise
from residual.networks import Network, from_weights, main_convolutions
from residual.probes import noise
from residual.training import shuffled

BATCH_SIZE = 128
BATCHES = 8  # to measure noise with
CHECKPOINTS = {"trained_CNN": "plain20_builtin", "trained_Residual": "residual20_builtin"}  # in files/
PUBLISHED = {"CNN_tanh35": 2e-10, "CNN_tanh53": 6e-15, "Residual_tanh35": 0.03, "Residual_tanh53": 0.02}
NAMES = tuple(f"{kind}{tanh}{depth}" for depth in (35, 53) for tanh in ("", "_tanh") for kind in ("CNN", "Residual"))
NAMES += tuple(CHECKPOINTS)


def make(name: str, seed: int) -> Network:
    """One of the exercises' networks: CNN (plain) or Residual, with BatchNorm and ReLU, or with tanh and without
    BatchNorm; 35 or 53 convolutions. The trained ones have 20 layers and were trained on built-in pictures.

    Args:
        name: of NAMES.
        seed: of the weights; the trained ones have theirs.

    Raises:
        CourseError: there is no such network.
    """
    check_name("network", name, NAMES)
    if name in CHECKPOINTS:
        return from_weights(ROOT / "files" / f"{CHECKPOINTS[name]}.safetensors")
    seed_everything(seed)
    tanh = "tanh" in name
    return Network(
        int(name[-2:]),
        "none" if name.startswith("CNN") else "identity",
        "tanh" if tanh else "relu",
        batch_norm=not tanh,
        initialisation="torch",
    )


@dataclass(frozen=True)
class Trace:
    """What was read in each step.

    Attributes:
        early, late: norm of the weight gradient of the first and of the last block's first convolution.
        norm: of the gradient of all weights together.
        std: standard deviation *across tensors* of their gradients' norms, as the exercises have it.
    """

    early: list[float]
    late: list[float]
    norm: list[float]
    std: list[float]


def follow(model: nn.Module, pictures: PictureSet, iterations: int, seed: int) -> Trace:
    """Trains for some steps and reads each step's gradients; reading them changes nothing.

    Args:
        seed: of the order of the pictures, which are not augmented.

    Raises:
        CourseError: there are fewer pictures than a batch.
    """
    if len(pictures) < BATCH_SIZE:
        raise CourseError(f"{len(pictures)} training pictures are less than a batch of {BATCH_SIZE}; give more.")
    convolutions = list(main_convolutions(model))
    order = [name for name, _ in model.named_parameters()]
    early, late = order.index(f"{convolutions[1]}.weight"), order.index(f"{convolutions[-2]}.weight")
    optimiser = torch.optim.SGD(model.parameters(), 0.001, momentum=0.9, weight_decay=1e-5)
    generator = torch.Generator().manual_seed(seed)
    figures: list[Tensor] = []  # of each step; read at the end, so that no step waits for its device

    def read(*_: object) -> None:
        # In double precision, as the squares of tiny gradients are 0 in single.
        norms = torch.stack([weight.grad.double().norm() for weight in model.parameters()])
        figures.append(torch.stack([norms[early], norms[late], norms.norm(), norms.std(correction=0)]))

    optimiser.register_step_pre_hook(read)
    passes = (shuffled(pictures, BATCH_SIZE, generator) for _ in itertools.count())
    chosen = itertools.islice(itertools.chain.from_iterable(passes), iterations)
    batches = ((normalise(batch.images), batch.labels) for batch in chosen)
    with Progress(optimiser, iterations) as progress:
        train_epoch(model, batches, class_loss, optimiser, None, "float32", progress)
    return Trace(*torch.stack(figures).T.tolist())


def report(name: str, trace: Trace, metric: str) -> str:
    """The figures in words.

    Args:
        metric: "layers" (early and late), "norm" or "std".
    """
    if metric == "layers":
        published = f" (published: {PUBLISHED[name]:.0e})" if name in PUBLISHED else ""
        return (
            f"{name}: mean norm of the weight gradient over {len(trace.early)} steps: early layer "
            f"{statistics.mean(trace.early):.1e}{published}, late layer {statistics.mean(trace.late):.1e}"
        )
    values = getattr(trace, metric)
    what = {"norm": "norm of the whole gradient", "std": "standard deviation of the gradients' norms across tensors"}
    return (
        f"{name}: {what[metric]} over {len(values)} steps: mean {statistics.mean(values):.1e}, "
        f"from {min(values):.1e} to {max(values):.1e}"
    )


def noise_report(name: str, model: nn.Module, pictures: PictureSet) -> str:
    """What noise means: how the early layer's gradient differs over minibatches, before the first step."""
    weight = f"{list(main_convolutions(model))[1]}.weight"
    found = noise(model, pictures.batches(BATCH_SIZE, BATCHES), [weight])[weight]
    return (
        f"{name}: gradient of the early layer over {BATCHES} minibatches before training: norm of the mean "
        f"{found.norm:.1e}, spread {found.spread:.1e}, relative {found.relative:.2f}"
    )


def plot(name: str, trace: Trace, metric: str) -> Figure:
    """The figures by step, on a logarithmic scale."""
    lines = {
        "layers": {"early layer": trace.early, "late layer": trace.late},
        "norm": {"whole network": trace.norm},
        "std": {"across tensors": trace.std},
    }[metric]
    figure = Figure(figsize=(6.5, 3.6), layout="constrained")
    axes = figure.subplots()
    for (label, values), colour, style in zip(lines.items(), LINE_COLOURS, ("-", "--")):
        axes.plot(range(1, len(values) + 1), values, style, color=colour, label=label)
    quantity = "standard deviation of norms" if metric == "std" else "norm of the gradient"
    axes.set(title=name, xlabel="step", ylabel=quantity, yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
