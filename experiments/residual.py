"""One training of a plain or residual network, and its record: `python -m experiments.residual --out FILE`."""

import argparse
import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path

from core import command
from core.checkpoint import save_weights
from core.devices import best_device, multiplies_bfloat16
from core.files import check_writable
from core.record import new_record, write_record
from core.training import check_seed, seed_everything
from residual.data import Pictures, load
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--depth", type=int, default=20, help="6n + 2, or 35 or 53 (default: 20)")
    parser.add_argument("--shortcut", default="identity", help="identity, projection or none (default: identity)")
    parser.add_argument("--data", default="builtin", help='"builtin", "cifar10" (fetched) or a folder')
    parser.add_argument("--epochs", type=int, default=Recipe.epochs)
    parser.add_argument("--learning-rate", type=float, default=Recipe.learning_rate)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="the record to write, such as plain20.json")
    parser.add_argument("--weights", type=Path, help="where to write the weights, such as plain20.safetensors")


def run(options: argparse.Namespace) -> None:
    check_seed(options.seed)
    recipe = Recipe(options.epochs, learning_rate=options.learning_rate, seed=options.seed)
    Network(options.depth, options.shortcut)  # a wrong name is told before the pictures are read
    for file in filter(None, (options.out, options.weights)):
        check_writable(file.parent)
    model, record = train(options.depth, options.shortcut, load(options.data), recipe, _command(options))
    if options.weights:
        save_weights(model, options.weights)
    write_record(record, options.out)
    print(
        f"{options.out}: accuracy {record['measured']['train']['accuracy']:.3f} in training, "
        f"{record['validation']['accuracy']:.3f} in validation, {record['test']['accuracy']:.3f} in the test"
    )


def _command(options: argparse.Namespace) -> str:
    """The command that repeats a training; of a folder outside the course only its name is told."""
    data = options.data if not Path(options.data).is_absolute() else f".../{Path(options.data).name}"
    words = [
        "--depth",
        options.depth,
        "--shortcut",
        options.shortcut,
        "--data",
        data,
        "--epochs",
        options.epochs,
        "--learning-rate",
        options.learning_rate,
        "--seed",
        options.seed,
        "--out",
        options.out.name,
    ]
    return shlex.join(["python", "-m", "experiments.residual", *map(str, words)])


if __name__ == "__main__":
    sys.exit(command.main(sys.modules[__name__], "python -m experiments.residual"))
