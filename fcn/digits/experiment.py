"""The digit experiment: `python -m fcn.digit_experiment --data DIR --seeds 0 1 2 --out FILE.json`.

For each seed one classifier; from it both networks, trained on single digits, then on composed scenes, then on clean
grids alone, and scored after each of the three on single digits, on grids and on hard scenes, beside the baseline.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from core.errors import CourseError
from core.files import write_atomically
from core.training import seed_everything
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


def run(splits: DigitSplits, steps: Steps, seed: int, count: int, weights: Path | None) -> dict[str, object]:
    """One seed of the experiment; validation and test are scored alike, and nothing is chosen by either.

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
    return {"seed": seed, **figures, "seconds": round(time.perf_counter() - began, 1)}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m fcn.digit_experiment", description=__doc__)
    parser.add_argument("--data", default="builtin", help='"builtin" (default), "mnist", or a folder with MNIST/raw/')
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--scenes", type=int, default=500, help="grids to score on, and hard scenes (default: 500)")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file of figures")
    parser.add_argument("--weights", type=Path, help="folder for the weights of the first seed")
    options = parser.parse_args(arguments)
    try:
        splits = load_digits(options.data)
        steps = STEPS[splits.name]
        report = {
            "command": f"python -m fcn.digit_experiment --data {'DIR' if splits.name == 'mnist' else 'builtin'} "
            f"--seeds {' '.join(map(str, options.seeds))} --scenes {options.scenes} --out FILE",
            "data": splits.describe(),
            "steps": asdict(steps),
            "scenes": options.scenes,
            "runs": [],
        }
        for seed in options.seeds:
            weights = options.weights if seed == options.seeds[0] else None
            report["runs"].append(run(splits, steps, seed, options.scenes, weights))
            with write_atomically(options.out) as path:
                path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    except CourseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
