"""Segments photographs with a trained network."""

import argparse
from collections import Counter
from pathlib import Path

import cv2
from matplotlib.figure import Figure

from core.devices import best_device
from core.errors import CourseError
from core.files import ROOT, check_writable, write_atomically
from core.photographs import denormalise, normalise, read_photograph
from core.plotting import png
from fcn import plots
from fcn.evaluation import predict
from fcn.models import FCN, from_weights

# FCN-8s on EfficientNet-Lite0; files/README.md says how it was trained.
SHIPPED = ROOT / "files" / "facades_fcn8s.safetensors"
LONGER_SIDE = 512  # pixels; CMP's photographs have 1024, and networks learn from them at half size


def segment(model: FCN, photograph: Path, scale: float | None = None) -> Figure:
    """A photograph of any size beside its predicted classes, with a legend.

    Args:
        model: its `metadata` names the classes it was trained on; else they are numbered.
        scale: factor on the sides before the network sees it; its parts should be about as large as in training. By
            default the longer side becomes LONGER_SIDE pixels.

    Raises:
        CourseError: the photograph can't be read, or nothing of it is left at this scale.
    """
    pixels = read_photograph(photograph)
    if scale is None:
        scale = LONGER_SIDE / max(pixels.shape[:2])
    size = [round(side * scale) for side in pixels.shape[1::-1]]
    if min(size) < 1:
        raise CourseError(f"{photograph} has no pixel left at scale {scale}; give a larger --scale, such as 0.5.")
    image = normalise(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    predicted = predict(model, image[None])[0].cpu()
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    for axis, panel in zip(figure.subplots(1, 2), (denormalise(image), plots.overlay(image, predicted, alpha=0.7))):
        axis.imshow(panel)
        axis.set_axis_off()
    numbered = [f"class {number}" for number in range(model.configuration["num_classes"])]
    plots.legend(figure, model.metadata.get("classes") or numbered, [predicted])
    return figure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photographs", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument(
        "--weights", type=Path, default=SHIPPED, help="a run's best.safetensors (default: the course's, for facades)"
    )
    parser.add_argument(
        "--scale", type=float, help=f"factor on the sides (default: so that the longer one has {LONGER_SIDE} pixels)"
    )
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for the pictures (default: this one)")


def run(options: argparse.Namespace) -> None:
    """Writes one picture for each photograph."""
    if options.scale is not None and not 0 < options.scale < float("inf"):
        raise CourseError(f"--scale is {options.scale}; give a number above 0, such as 0.5.")
    targets = {photograph: options.out / f"{photograph.stem}_segmented.png" for photograph in options.photographs}
    target, times = Counter(targets.values()).most_common(1)[0]
    if times > 1:
        raise CourseError(f"{times} of the photographs would be written to {target}; segment them one by one.")
    check_writable(options.out)
    model = from_weights(options.weights).to(best_device())
    for photograph, target in targets.items():
        figure = segment(model, photograph, options.scale)
        with write_atomically(target) as path:
            path.write_bytes(png(figure))
        print(f"{target} ({options.weights.name}, trained on {model.metadata.get('trained_on', 'data unknown')})")
