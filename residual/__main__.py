"""Reads the gradients of plain and residual networks: `python -m residual gradients --model CNN_tanh35`."""

import argparse
import sys
from pathlib import Path

from core import command
from core.errors import CourseError
from core.files import ROOT, check_writable, write_atomically
from core.plotting import png
from core.training import check_seed
from residual import gradients
from residual.data import load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="gradients")
    one = commands.add_parser("gradients", help="train for some steps, print and plot the gradients' size")
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


if __name__ == "__main__":
    sys.exit(command.main(sys.modules[__name__], "python -m residual"))
