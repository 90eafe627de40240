"""Trains the course's small weights and writes them to files/."""

import argparse
import time
from pathlib import Path

from cam import train_small
from cam.classifiers import small_weights
from core.checkpoint import save_weights
from core.errors import check_name
from core.files import check_writable
from core.training import check_seed
from fcn.backbones import BACKBONES
from fcn.facades import pretext
from fcn.weights import course_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", help=f"{', '.join(BACKBONES)} (on drawn facades) or resnet18 (generated pictures)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="the file (default: that of the course, in files/)")


def run(options: argparse.Namespace) -> None:
    """Trains one network; weights are stored in half precision, which gives the same predictions."""
    check_name("network", options.network, [*BACKBONES, "resnet18"])
    check_seed(options.seed)
    small_resnet = options.network == "resnet18"
    out = options.out or (small_weights(options.seed) if small_resnet else course_file(options.network))
    check_writable(out.parent)
    started = time.perf_counter()
    if small_resnet:
        save_weights(train_small.train(options.seed), out, half=True)
    else:
        model, accuracy = pretext.train(options.network, options.seed)
        save_weights(model.torchvision_state(), out, half=True)
        print(f"accuracy on parts of facades held out: {accuracy:.3f}")
    print(f"{out}: {time.perf_counter() - started:.0f} s")
