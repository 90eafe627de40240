"""Trains or tests a network that segments handwritten digits."""

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path

from matplotlib.figure import Figure

from core import command
from core.files import ROOT, check_writable, write_atomically
from core.plotting import png
from core.record import new_record, write_record
from core.training import check_seed
from fcn.digits.data import DigitSplits, load_digits
from fcn.digits.experiment import (
    STAGES,
    STEPS,
    TEST_SEED,
    VALIDATION_SEED,
    baseline_scores,
    network_scores,
    scene_kinds,
    train_classifier,
    train_network,
)
from fcn.digits.networks import load_network, make_network, save, weights_file
from fcn.digits.plots import loss_curves, sheet
from fcn.digits.training import segment

SHIPPED = ROOT / "files"
TEST_TYPES = {"SegmentedMNIST": "single", "grid": "grid"}
SCENES = 500  # of each composed kind to score on
ROWS = 6  # of a prediction sheet


def train(name: str, splits: DigitSplits, seed: int, out: Path) -> None:
    """Trains the classifier, and from it the network; writes both, what validation says, and two figures."""
    began = time.perf_counter()
    steps = STEPS[splits.name]
    classifier, losses = train_classifier(splits.train, steps.classifier, seed)
    curves = {"classifier": losses}
    stages = list(train_network(name, classifier, splits.train, steps, seed))
    curves |= {f"{name}, {stage}": losses for stage, _, losses in stages}
    model = stages[-1][1]
    for network in (classifier, model):
        save(network, out, splits.name, seed)
    kinds = scene_kinds(splits.validation, SCENES, VALIDATION_SEED)
    scores = {"baseline": baseline_scores(classifier, kinds), name: network_scores(model, kinds)}
    _write_figure(loss_curves(curves), out / f"{name}_losses.png")
    for kind, scenes in kinds.items():
        _write_figure(sheet(scenes, {name: segment(model, scenes.images[:ROWS])}, ROWS), out / f"{name}_{kind}.png")
    record = new_record(
        f"python -m fcn.digits --model {name} --mode train --data {_origin(splits)} --seed {seed}",
        {"model": name, "steps": asdict(steps), "seed": seed},
        began,
        seed=seed,
        data=splits.describe(),
        measured={"losses": curves, "validation": scores},
    )
    write_record(record, out / f"{name}_train.json")
    for kind in kinds:
        _print_scores(f"validation, {kind}", {method: by_kind[kind] for method, by_kind in scores.items()})
    print(f"{weights_file(out, name)}: trained on {splits.name}: {', then '.join(STAGES)}")


def test(name: str, test_type: str, splits: DigitSplits, out: Path) -> None:
    """Scores a network beside the baseline on one kind of test scene; writes figures and a prediction sheet."""
    began = time.perf_counter()
    trained = weights_file(out, name).exists()
    model, classifier, origin = load_network(out if trained else SHIPPED, name)
    print(
        f"{'weights from ' + str(out) if trained else 'weights that come with the course'}, trained on "
        f"{origin['digits']} digits (seed {origin['seed']}); tested on {splits.name} digits"
    )
    kind = TEST_TYPES[test_type]
    scenes = scene_kinds(splits.test, SCENES, TEST_SEED)[kind]
    scores = {
        "baseline": baseline_scores(classifier, {kind: scenes})[kind],
        name: network_scores(model, {kind: scenes})[kind],
    }
    _print_scores(f"test, {test_type}", scores)
    _write_figure(
        sheet(scenes, {name: segment(model, scenes.images[:ROWS])}, ROWS), out / f"{name}_test_{test_type}.png"
    )
    record = new_record(
        f"python -m fcn.digits --model {name} --mode test --test-type {test_type} --data {_origin(splits)}",
        {"model": name, "test_type": test_type},
        began,
        data=splits.describe(),
        measured={"weights": origin, "test": scores},
    )
    write_record(record, out / f"{name}_test_{test_type}.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, help="standardFCN or fcn8")
    parser.add_argument("--mode", choices=("train", "test"), required=True)
    parser.add_argument(
        "--test-type", choices=TEST_TYPES, default="SegmentedMNIST", help="single digits (default), or grids of several"
    )
    parser.add_argument("--data", default="builtin", help='"builtin" (default), "mnist", or a folder with MNIST/raw/')
    parser.add_argument("--seed", type=int, default=0, help="of the training (default: 0)")
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "runs" / "digits",
        help="folder for weights, figures and pictures (default: runs/digits)",
    )


def run(options: argparse.Namespace) -> None:
    check_seed(options.seed)
    make_network(options.model)
    check_writable(options.out)
    splits = load_digits(options.data)
    if options.mode == "train":
        train(options.model, splits, options.seed, options.out)
    else:
        test(options.model, options.test_type, splits, options.out)


def _origin(splits: DigitSplits) -> str:
    return "builtin" if splits.name == "builtin" else "DIR"


def _print_scores(title: str, scores: dict[str, dict]) -> None:
    for method, figures in scores.items():
        print(
            f"{title}: {method:12} pixel accuracy {figures['pixel_accuracy']:.4f}, "
            f"mean IoU {figures['mean_iou']:.4f}, of the digits {figures['digit_mean_iou']:.4f}"
        )


def _write_figure(figure: Figure, path: Path) -> None:
    with write_atomically(path) as temporary:
        temporary.write_bytes(png(figure))


if __name__ == "__main__":
    sys.exit(command.main(sys.modules[__name__], "python -m fcn.digits"))
