"""Trains a network without a notebook: the same training, the same record."""

import argparse
import shlex
import time
from dataclasses import asdict
from pathlib import Path

from core.checkpoint import save_weights
from core.errors import CourseError, check_name
from core.files import ROOT, check_writable
from core.record import new_record, project_path, write_record
from core.training import seed_everything
from course.notebooks.parameters import known_or_folder
from course.records.record import FILE
from fcn.data_sets import find, load_splits
from fcn.dataset import describe
from fcn.doubtful import without_doubtful
from fcn.evaluation import evaluate, evaluate_each
from fcn.metrics import boundary_band
from fcn.models import NETWORKS, WithMirror
from fcn.recipes import RECIPES, recipe
from fcn.trainer import best_epoch, fit
from fcn.weights import COURSE_WIDTH, SOURCES, start_from

RADIUS = 2  # pixels: how near to an outline the boundary band reaches


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", help=f"one of {', '.join(NETWORKS)}")
    parser.add_argument("--data", default="builtin", help='"builtin" (default), "cmp", "voc", or a folder')
    parser.add_argument("--backbone", default="vgg16")
    parser.add_argument("--scale", type=float, default=0.5, help="factor on the pictures' sides (default: 0.5)")
    parser.add_argument("--width", type=float, default=COURSE_WIDTH, help="factor on the channels (default: 0.125)")
    parser.add_argument("--weights", default="course", help='"course" (default), "imagenet" or "none"')
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--recipe", default="course", help=f"how to train: {', '.join(RECIPES)} (default: course)")
    parser.add_argument("--precision", default="auto", help='"auto" (default), "float32" or "bfloat16"')
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
    parser.add_argument("--out", type=Path, help="folder (default: runs/train/NETWORK)")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="also write the best weights here, in half precision")


def run(options: argparse.Namespace) -> None:
    """Trains, scores the test set once with the epoch that validation chose, and writes results.json."""
    started = time.perf_counter()
    check_name("network", options.network, NETWORKS)
    check_name("kind of weights", options.weights, [*SOURCES, "none"])
    for name, example in (("scale", "0.5 for half the sides"), ("width", "0.125 for an eighth of the channels")):
        if not 0 < getattr(options, name) <= 1:
            raise CourseError(f"--{name} is {getattr(options, name)}; give a factor above 0, at most 1: {example}.")
    settings = recipe(
        options.recipe, options.backbone, options.width, options.epochs, options.precision, options.seed
    ).first
    out = options.out or ROOT / "runs" / "train" / options.network
    check_writable(out)
    splits = load_splits(known_or_folder("data", options.data, ("builtin", "cmp", "voc")), options.scale)
    if not all(len(split) for split in splits):
        raise CourseError(f"{options.data} has an empty split; each needs at least one photograph.")
    train_set, validation_set, test_set = splits
    if options.keep is not None:
        check_writable(options.keep.parent)
    seed_everything(options.seed)
    model = NETWORKS[options.network](len(train_set.classes), options.backbone, options.width, "aligned")
    if options.weights != "none":
        start_from(model, options.weights)
    model.metadata["trained_on"] = find(options.data)[0].title
    history = fit(model, train_set, validation_set, settings, out, options.resume)
    best = best_epoch(history)
    matrices = list(evaluate_each(model, test_set, options.precision))
    whole = sum(matrices[1:], start=matrices[0])
    band = evaluate(model, test_set, options.precision, lambda label: boundary_band(label, RADIUS))
    mended = without_doubtful(test_set, matrices)
    record = new_record(
        _command(options, out),
        {name: value for name, value in vars(options).items() if name not in ("resume", "out", "data", "keep")}
        | {"data": _told(options.data)},
        started,
        seed=options.seed,
        data=describe(*splits),
        history=history,
        best_epoch=best,
        validation=history[best - 1]["validation"],
        test=whole.figures(),
        measured={
            "weights": options.weights,
            "training": asdict(settings),
            "radius": RADIUS,
            "band mean IoU": band.mean_iou(),
            "interior mean IoU": (whole - band).mean_iou(),
            "with_mirror": {
                name: evaluate(WithMirror(model), split, options.precision).figures()
                for name, split in (("validation", validation_set), ("test", test_set))
            },
            "test_without_doubtful": mended and mended.figures(),
            "test_accuracy_per_image": {
                test_set.name(index): matrix.pixel_accuracy() for index, matrix in enumerate(matrices)
            },
        },
    )
    if options.keep is not None:
        save_weights(model, options.keep, half=True)
    # A resumed run took the time of its earlier epochs too.
    record["wall_time"] = max(record["wall_time"], round(sum(epoch["seconds"] for epoch in history), 3))
    write_record(record, out / FILE)
    print(f"{out / FILE}: test mean IoU {record['test']['mean_iou']:.3f} with the weights of epoch {best}")


def _told(data: str) -> str:
    return project_path(Path(data)) if Path(data).is_absolute() else data


def _command(options: argparse.Namespace, out: Path) -> str:
    """The command that repeats it, with no path outside the course's folder in it."""
    words = ["python", "-m", "course", "train", options.network, "--data", _told(options.data)]
    for name in ("backbone", "scale", "width", "weights", "recipe", "epochs", "precision", "seed"):
        words += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
    return shlex.join([*words, "--out", project_path(out)])
