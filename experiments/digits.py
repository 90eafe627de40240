"""The digit networks over seeds: `python -m experiments.digits --data DIR --seeds 0 1 2 --out DIR`.

For each seed one classifier; from it both networks, trained on single digits, then on composed scenes, then on clean
grids alone, and scored after each of the three on single digits, on grids and on hard scenes, beside the baseline.
"""

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path

from core import command
from core.files import check_writable
from core.record import new_record, write_record
from core.training import check_seed
from fcn.digits.data import DigitSplits, load_digits
from fcn.digits.experiment import (
    STEPS,
    TEST_SEED,
    VALIDATION_SEED,
    Steps,
    baseline_scores,
    network_scores,
    scene_kinds,
    train_classifier,
    train_network,
)
from fcn.digits.networks import NETWORKS, save
from fcn.digits.training import accuracy


def run_seed(splits: DigitSplits, steps: Steps, seed: int, count: int, weights: Path | None) -> dict[str, object]:
    """One seed of the experiment and its record; validation and test are scored alike, and nothing is chosen by either.

    Args:
        count: composed scenes of each kind to score on.
        weights: a folder to write the classifier's and the networks' weights to.
    """
    began = time.perf_counter()
    sets = {
        "validation": scene_kinds(splits.validation, count, VALIDATION_SEED),
        "test": scene_kinds(splits.test, count, TEST_SEED),
    }
    classifier, _ = train_classifier(splits.train, steps.classifier, seed)
    if weights:
        save(classifier, weights, splits.name, seed)
    figures = {
        split: {
            "classifier accuracy": accuracy(classifier, getattr(splits, split)),
            "baseline": baseline_scores(classifier, kinds),
        }
        for split, kinds in sets.items()
    }
    for name in NETWORKS:
        for stage, model, losses in train_network(name, classifier, splits.train, steps, seed):
            for split, kinds in sets.items():
                figures[split][f"{name}, trained on {stage}"] = network_scores(model, kinds)
            print(
                f"seed {seed}, {name} trained on {stage}: loss {losses[-1]:.4f}, {time.perf_counter() - began:.0f} s",
                flush=True,
            )
        if weights:
            save(model, weights, splits.name, seed)
    return new_record(
        f"python -m experiments.digits --data {'DIR' if splits.name == 'mnist' else 'builtin'} "
        f"--seeds {seed} --scenes {count} --out DIR",
        {"steps": asdict(steps), "scenes": count, "seed": seed},
        began,
        seed=seed,
        data=splits.describe(),
        measured=figures,
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", default="builtin", help='"builtin" (default), "mnist", or a folder with MNIST/raw/')
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--scenes", type=int, default=500, help="grids to score on, and hard scenes (default: 500)")
    parser.add_argument("--out", type=Path, required=True, help="folder for a record of each seed")
    parser.add_argument("--weights", type=Path, help="folder for the weights of the first seed")


def run(options: argparse.Namespace) -> None:
    for seed in options.seeds:
        check_seed(seed)
    for folder in filter(None, (options.out, options.weights)):
        check_writable(folder)
    splits = load_digits(options.data)
    for seed in options.seeds:
        weights = options.weights if seed == options.seeds[0] else None
        record = run_seed(splits, STEPS[splits.name], seed, options.scenes, weights)
        write_record(record, options.out / f"seed{seed}.json")
        print(options.out / f"seed{seed}.json")


if __name__ == "__main__":
    sys.exit(command.main(sys.modules[__name__], "python -m experiments.digits"))
