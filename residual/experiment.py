"""One training from one seed, and its record: what `python -m residual train` writes."""

import platform
import time
from dataclasses import asdict

import torch

from core.devices import best_device, multiplies_bfloat16
from core.training import seed_everything
from residual.data import Pictures
from residual.networks import Network
from residual.training import Recipe, evaluate, fit


def train(depth: int, shortcut: str, pictures: Pictures, recipe: Recipe) -> tuple[Network, dict]:
    """Trains a network from its seed; scores the training and the test set once, at the end.

    The learning rate falls to zero, so the last epoch is the one that counts: nothing is chosen by validation here.

    Returns:
        The network, in eval mode, and its record: parameters, seed, data, device, history and figures. "train" is
        measured in eval mode on pictures that are not augmented.
    """
    started = time.perf_counter()
    seed_everything(recipe.seed)
    model = Network(depth, shortcut, num_classes=len(pictures.classes))
    history = fit(model, pictures, recipe)
    device = best_device()
    record = {
        "notebook": None,  # a command made this record
        "parameters": {"depth": depth, "shortcut": shortcut, **asdict(recipe)},
        "seed": recipe.seed,
        "packages": {"python": platform.python_version(), "torch": torch.__version__},
        "data": {
            "name": pictures.name,
            "sha256": pictures.sha256(),
            "train": len(pictures.train),
            "validation": len(pictures.validation),
            "test": len(pictures.test),
        },
        "device": f"{device.type}, {torch.get_num_threads()} threads",
        "precision": "bfloat16" if multiplies_bfloat16(device) else "float32",
        "history": history,
        "train": evaluate(model, pictures.train),
        "validation": history[-1]["validation"],
        "test": evaluate(model, pictures.test),
        "measured": {},
        "wall_time": round(time.perf_counter() - started, 1),
    }
    return model, record
