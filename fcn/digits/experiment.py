"""The parts of the digit experiment: a classifier, networks trained from it in stages, and what they are scored on."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from core.training import seed_everything
from fcn.digits.baseline import scene_baseline, single_baseline
from fcn.digits.data import Digits
from fcn.digits.networks import DigitClassifier, DigitFCN, make_network
from fcn.digits.scenes import Scenes, grids, hard_scenes, single_digits
from fcn.digits.training import (
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
