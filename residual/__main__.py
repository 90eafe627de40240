"""Trains plain and residual networks, and reads their gradients."""

import argparse
import shlex
import sys
from pathlib import Path

from core import command
from core.checkpoint import save_weights
from core.errors import CourseError
from core.files import ROOT, check_writable, write_atomically
from core.plotting import png
from core.record import write_record
from core.training import check_seed
from residual import gradients
from residual.data import load
from residual.experiment import train
from residual.networks import Network
from residual.training import Recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="{train,gradients}")
    one = commands.add_parser("train", help="train a network, write its record and, if asked, its weights")
    one.set_defaults(command=_train)
    one.add_argument("--depth", type=int, default=20, help="6n + 2, or 35 or 53 (default: 20)")
    one.add_argument("--shortcut", default="identity", help="identity, projection or none (default: identity)")
    one.add_argument("--data", default="builtin", help='"builtin", "cifar10" (fetched) or a folder')
    one.add_argument("--epochs", type=int, default=Recipe.epochs)
    one.add_argument("--learning-rate", type=float, default=Recipe.learning_rate)
    one.add_argument("--whitening", action="store_true", help="a fixed whitening first layer")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--out", type=Path, required=True, help="the record to write, such as plain20.json")
    one.add_argument("--weights", type=Path, help="where to write the weights, such as plain20.safetensors")
    one = commands.add_parser("gradients", help="train for some steps, print and plot the gradients' size")
    one.set_defaults(command=_gradients)
    one.add_argument("--model", required=True, help=f"one of {', '.join(gradients.NAMES)}")
    one.add_argument(
        "--metric",
        choices=("layers", "norm", "std"),
        default="layers",
        help="an early and a late layer's norm; the whole network's; or the spread of the norms across "
        "tensors and, beside it, the noise over minibatches (default: layers)",
    )
    one.add_argument("--iterations", type=int, default=50)
    one.add_argument("--data", default="builtin", help='"builtin", "cifar10" (fetched) or a folder')
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--out", type=Path, help="the picture to write (default: runs/gradients/MODEL_METRIC.png)")


def run(options: argparse.Namespace) -> None:
    check_seed(options.seed)
    options.command(options)


def _train(options: argparse.Namespace) -> None:
    recipe = Recipe(options.epochs, learning_rate=options.learning_rate, whitening=options.whitening, seed=options.seed)
    Network(options.depth, options.shortcut)  # a wrong name is told before the pictures are read
    for file in filter(None, (options.out, options.weights)):
        check_writable(file.parent)
    model, record = train(options.depth, options.shortcut, load(options.data), recipe, _command(options))
    if options.weights:
        save_weights(model, options.weights)
    write_record(record, options.out)
    print(
        f"{options.out}: accuracy {record['measured']['train']['accuracy']:.3f} in training, "
        f"{record['validation']['accuracy']:.3f} in validation, {record['test']['accuracy']:.3f} in the test"
    )


def _gradients(options: argparse.Namespace) -> None:
    if options.iterations < 1:
        raise CourseError(f"--iterations is {options.iterations}; give a number above 0.")
    out = options.out or ROOT / "runs" / "gradients" / f"{options.model}_{options.metric}.png"
    if out.suffix != ".png":
        raise CourseError(f"--out is {out}; name a .png file.")
    check_writable(out.parent)
    model = gradients.make(options.model, options.seed)
    train = load(options.data).train
    if options.metric == "std":
        print(gradients.noise_report(options.model, model, train))
    trace = gradients.follow(model, train, options.iterations, options.seed)
    print(gradients.report(options.model, trace, options.metric))
    with write_atomically(out) as path:
        path.write_bytes(png(gradients.plot(options.model, trace, options.metric)))
    print(out)


def _command(options: argparse.Namespace) -> str:
    """The command that repeats a training; of a folder outside the course only its name is told."""
    data = options.data if not Path(options.data).is_absolute() else f".../{Path(options.data).name}"
    words = [
        "--depth",
        options.depth,
        "--shortcut",
        options.shortcut,
        "--data",
        data,
        "--epochs",
        options.epochs,
        "--learning-rate",
        options.learning_rate,
        *["--whitening"] * options.whitening,
        "--seed",
        options.seed,
        "--out",
        options.out.name,
    ]
    return shlex.join(["python", "-m", "residual", "train", *map(str, words)])


if __name__ == "__main__":
    sys.exit(command.main(sys.modules[__name__], "python -m residual"))
