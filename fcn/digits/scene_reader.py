"""The network of notebook 9 that has learned from composed scenes, and its training (`course pretrain digits`)."""

from pathlib import Path

from core.checkpoint import load_weights
from core.errors import CourseError
from core.files import ROOT
from fcn.digits.data import load_digits
from fcn.digits.experiment import Steps, train_classifier, train_network
from fcn.digits.networks import FCN8, load_network

STEPS = Steps(classifier=300, single=400, scenes=1000, grids=0)


def scene_weights(seed: int) -> Path:
    """Where the network that was trained from this seed is kept."""
    return ROOT / "files" / f"digits_scenes_{seed}.safetensors"


def train(seed: int) -> FCN8:
    """fcn8 of the built-in digits, trained on single digits, then on scenes; in eval mode."""
    digits = load_digits("builtin").train
    classifier, _ = train_classifier(digits, STEPS.classifier, seed)
    stages = train_network(FCN8.name, classifier, digits, STEPS, seed)
    return next(model for stage, model, _ in stages if stage == "scenes")


def load(digits: str, seed: int) -> FCN8:
    """The network that has learned from scenes of these digits, in eval mode.

    Args:
        digits: "builtin", or "mnist": of those there is one (seed 0), which has learned from clean grids after scenes.
        seed: of the training.

    Raises:
        CourseError: none was trained from this seed, or the file is damaged.
    """
    if digits == "mnist":
        return load_network(ROOT / "files", FCN8.name)[0]
    path, model = scene_weights(seed), FCN8()
    if not path.exists():
        raise CourseError(f"There is no network of seed {seed}; train it with course pretrain digits --seed {seed}.")
    load_weights(model, path)
    return model.eval()
