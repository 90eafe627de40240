"""Trains the course's small weights and writes them to files/: `python -m experiments.pretrain NETWORK`."""

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from torch import nn

from cam.classifiers import small_weights
from core import command
from core.checkpoint import save_weights
from core.errors import CourseError, check_name
from core.files import ROOT, check_writable
from core.record import new_record, project_path, write_record
from core.training import check_seed
from course.small_pair import SHORTCUTS, weights_file
from experiments import pretext, small_pair, small_resnet
from fcn import tiny_imagenet
from fcn.backbones import BACKBONES, Trunk
from fcn.digits.data import load_digits
from fcn.digits.experiment import Steps, train_classifier, train_network
from fcn.digits.networks import FCN8
from fcn.digits.scene_reader import scene_weights
from fcn.weights import COURSE_WIDTH, course_file

TRUNKS = [name for name, backbone in BACKBONES.items() if backbone.course_weights]
RECORDS = ROOT / "files" / "results" / "pretraining"
EPOCHS = 5


def _made_here(seed: int) -> dict[str, tuple[Callable[[], nn.Module], Path]]:
    """How to train each network that needs no data set, and where its weights are kept."""
    pairs = {name: (partial(small_pair.train, name, seed), weights_file(name, seed)) for name in SHORTCUTS}
    return {
        "resnet18": (partial(small_resnet.train, seed), small_weights(seed)),
        **pairs,
        "digits": (partial(_train_scene_reader, seed), scene_weights(seed)),
    }


def _train_scene_reader(seed: int) -> FCN8:
    """fcn8 of the built-in digits, trained on single digits, then on scenes."""
    digits, steps = load_digits("builtin").train, Steps(classifier=300, single=400, scenes=1000, grids=0)
    classifier, _ = train_classifier(digits, steps.classifier, seed)
    stages = train_network(FCN8.name, classifier, digits, steps, seed)
    return next(model for stage, model, _ in stages if stage == "scenes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    drawn = " or ".join(_made_here(0))
    parser.add_argument("network", help=f"{', '.join(TRUNKS)} (on Tiny ImageNet), {drawn} (built-in data)")
    parser.add_argument("--data", type=Path, help="the folder tiny-imagenet-200 (default: in dataset/tinyimagenet)")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help=f"on Tiny ImageNet (default: {EPOCHS})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="the file (default: that of the course, in files/)")
    parser.add_argument("--record", type=Path, help="the record's file (default: in files/results/pretraining)")


def run(options: argparse.Namespace) -> None:
    """Trains one network; weights are stored in half precision, which gives the same predictions."""
    check_seed(options.seed)
    drawn = _made_here(options.seed)
    check_name("network", options.network, [*TRUNKS, *drawn])
    if options.epochs < 1:
        raise CourseError(f"--epochs is {options.epochs}; give a number above 0.")
    train, default = drawn.get(options.network, (None, None))
    out = options.out or default or course_file(options.network)
    check_writable(out.parent)
    started = time.perf_counter()
    if train:
        save_weights(train(), out, half=True)
    else:
        _pretrain(options, out, started)
    print(f"{out}: {time.perf_counter() - started:.0f} s")


def _pretrain(options: argparse.Namespace, out: Path, started: float) -> None:
    folder, path = options.data or tiny_imagenet.FOLDER, options.record or RECORDS / f"{options.network}.json"
    check_writable(path.parent)
    model, history = pretext.train(options.network, options.seed, options.epochs, folder)
    save_weights(model.torchvision_state(), out, {"trained_on": "Tiny ImageNet"}, half=True)
    trunk = Trunk(options.network, COURSE_WIDTH, padding="aligned")  # without the normalisation of the training
    words = ["python -m experiments.pretrain", options.network, "--epochs", options.epochs, "--seed", options.seed]
    if options.data:
        words += ["--data", project_path(options.data)]
    record = new_record(
        " ".join(map(str, words)),
        {"network": options.network, "width": COURSE_WIDTH, "epochs": options.epochs, "seed": options.seed}
        | pretext.RECIPE,
        started,
        seed=options.seed,
        data=tiny_imagenet.describe(folder),
        history=history,
        best_epoch=len(history),
        validation=history[-1]["validation"],
        measured={"trunk_parameters": sum(values.numel() for values in trunk.parameters())},
    )
    write_record(record, path)
    accuracy, top5 = (history[-1]["validation"][name] for name in ("accuracy", "top5_accuracy"))
    print(f"accuracy on {record['data']['images']['val']} photographs held out: {accuracy:.3f}, top 5 {top5:.3f}")


if __name__ == "__main__":
    sys.exit(command.main(sys.modules[__name__], "python -m experiments.pretrain"))
