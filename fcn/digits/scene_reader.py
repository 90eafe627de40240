"""The network of notebook 9 that has learned from composed scenes; `experiments/pretrain.py` trains it."""

from pathlib import Path

from core.checkpoint import load_weights
from core.errors import CourseError
from core.files import ROOT
from fcn.digits.networks import FCN8, load_network


def scene_weights(seed: int) -> Path:
    """Where the network that was trained from this seed is kept."""
    return ROOT / "files" / f"digits_scenes_{seed}.safetensors"


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
        raise CourseError(f"There is no network of seed {seed}; choose 0, 1 or 2.")
    load_weights(model, path)
    return model.eval()
