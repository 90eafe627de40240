"""The plain and the residual network of notebook 7: 14 layers each, the same but for their shortcuts.

They name the patterns of generated pictures of 32 × 32 pixels; `experiments/small_pair.py` trains them.
"""

from pathlib import Path

import torch

from cam.pictures import Pictures, make_pictures
from core.errors import CourseError
from core.files import ROOT
from residual.networks import Network, from_weights

SHORTCUTS = {"plain14": "none", "residual14": "identity"}


def small_pictures(count: int, seed: int) -> Pictures:
    """Generated pictures of 32 × 32 pixels; their objects are 14 to 23 pixels wide, so that a pattern still shows."""
    return make_pictures(count, seed, size=32, radius=(0.22, 0.36))


def weights_file(name: str, seed: int) -> Path:
    """Where the network of this name, trained from this seed, is kept."""
    return ROOT / "files" / f"{name}_{seed}.safetensors"


def load(name: str, seed: int) -> Network:
    """One of `SHORTCUTS`, in eval mode.

    Raises:
        CourseError: none was trained from this seed.
    """
    path = weights_file(name, seed)
    if not path.exists():
        raise CourseError(f"There is no network of seed {seed}; choose 0, 1 or 2.")
    return from_weights(path).to(memory_format=torch.channels_last)
