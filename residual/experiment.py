"""One training from one seed, and its record: what `python -m residual train` writes."""

import time
from dataclasses import asdict

from core.devices import best_device, multiplies_bfloat16
from core.record import new_record
from core.training import seed_everything
from residual.data import Pictures
from residual.networks import Network
from residual.training import Recipe, evaluate, fit


def train(depth: int, shortcut: str, pictures: Pictures, recipe: Recipe, command: str) -> tuple[Network, dict]:
    """Trains a network from its seed; scores the training and the test set once, at the end.

    The learning rate falls to zero, so the last epoch is the one that counts: nothing is chosen by validation here.

    Args:
        command: what repeats it, for the record.

    Returns:
        The network, in eval mode, and its record. "train" is measured in eval mode on pictures that are not augmented.
    """
    started = time.perf_counter()
    seed_everything(recipe.seed)
    model = Network(depth, shortcut, num_classes=len(pictures.classes))
    history = fit(model, pictures, recipe)
    record = new_record(
        command,
        {"depth": depth, "shortcut": shortcut, **asdict(recipe)},
        started,
        seed=recipe.seed,
        data={
            "name": pictures.name,
            "sha256": pictures.sha256(),
            "images": {
                "train": len(pictures.train),
                "validation": len(pictures.validation),
                "test": len(pictures.test),
            },
        },
        history=history,
        best_epoch=len(history),
        validation=history[-1]["validation"],
        test=evaluate(model, pictures.test),
        measured={
            "train": evaluate(model, pictures.train),
            "precision": "bfloat16" if multiplies_bfloat16(best_device()) else "float32",
        },
    )
    return model, record
