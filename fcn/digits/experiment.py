"""The digit experiment: `course digits-experiment --data DIR --seeds 0 1 2 --out DIR`.

For each seed one classifier; from it both networks, trained on single digits, then on composed scenes, then on clean
grids alone, and scored after each of the three on single digits, on grids and on hard scenes, beside the baseline.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from core.files import check_writable
from core.record import new_record, write_record
from core.training import check_seed, seed_everything
from fcn.digits.baseline import scene_baseline, single_baseline
from fcn.digits.data import Digits, DigitSplits, load_digits
from fcn.digits.networks import NETWORKS, DigitClassifier, DigitFCN, make_network, save
from fcn.digits.scenes import Scenes, grids, hard_scenes, single_digits
from fcn.digits.training import (
    accuracy,
    digit_batches,
    fit,
    grid_batches,
    scene_batches,
    score,
    segment,
    single_batches,
)

VALIDATION_SEED, TEST_SEED = 100_000, 200_000  # of composed scenes; a test scene is made of test digits
STAGES = ("single digits", "scenes", "grids")


@dataclass(frozen=True)
class Steps:
    """How long each part of the training lasts, in batches."""

    classifier: int
    single: int
    scenes: int
    grids: int


STEPS = {
    "builtin": Steps(classifier=300, single=400, scenes=600, grids=300),
    "mnist": Steps(classifier=860, single=2200, scenes=1200, grids=800),
}


def scene_kinds(digits: Digits, count: int, seed: int) -> dict[str, Scenes]:
    """What networks are scored on: every digit by itself, and `count` clean grids and hard scenes."""
    return {
        "single": single_digits(digits),
        "grid": grids(digits, count, seed),
        "hard": hard_scenes(digits, count, seed),
    }


def baseline_scores(classifier: DigitClassifier, kinds: dict[str, Scenes]) -> dict[str, dict]:
    """The baseline's figures on each kind: with the masks' own threshold, and with Otsu's on the hard scenes."""
    predict = {
        "single": single_baseline,
        "grid": partial(scene_baseline, otsu=False),
        "hard": partial(scene_baseline, otsu=True),
    }
    return {kind: score(predict[kind](classifier, scenes.images), scenes) for kind, scenes in kinds.items()}


def network_scores(model: DigitFCN, kinds: dict[str, Scenes]) -> dict[str, dict]:
    """A network's figures on each kind."""
    return {kind: score(segment(model, scenes.images), scenes) for kind, scenes in kinds.items()}


def train_classifier(digits: Digits, steps: int, seed: int) -> tuple[DigitClassifier, list[float]]:
    """The small CNN, and its losses."""
    seed_everything(seed)
    classifier = DigitClassifier()
    return classifier, fit(classifier, digit_batches(digits, seed), steps, "classifier")


def train_network(
    name: str, classifier: DigitClassifier, digits: Digits, steps: Steps, seed: int
) -> Iterator[tuple[str, DigitFCN, list[float]]]:
    """Trains a network from the classifier's encoder; gives (stage, network, losses) after each of `STAGES`.

    It is one network that goes on from stage to stage.

    Raises:
        CourseError: an unknown name.
    """
    seed_everything(seed)
    model = make_network(name)
    model.start_from(classifier)
    parts = ((single_batches, steps.single), (scene_batches, steps.scenes), (grid_batches, steps.grids))
    for stage, (batches, count) in zip(STAGES, parts):
        yield stage, model, fit(model, batches(digits, seed), count, f"{name}, {stage}")


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
        f"python -m course digits-experiment --data {'DIR' if splits.name == 'mnist' else 'builtin'} "
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
