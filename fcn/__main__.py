"""Segments photographs with a trained network: `python -m fcn PHOTO … --weights FILE [--scale 0.5] [--out DIR]`."""

import argparse
import sys
from pathlib import Path

import cv2
from matplotlib.figure import Figure

from core.devices import best_device
from core.errors import CourseError
from core.files import write_atomically
from core.photographs import normalise, read_photograph
from fcn import plots
from fcn.dataset import CLASSES
from fcn.models import FCN, from_weights
from fcn.trainer import predict
from fcn.voc import VOC_CLASSES


def segment(model: FCN, photograph: Path, scale: float) -> Figure:
    """A photograph of any size beside its predicted classes, with a legend.

    Args:
        scale: factor on its sides before the network sees it; its parts should be about as large as in training.
    """
    pixels = read_photograph(photograph)
    size = [max(1, round(side * scale)) for side in pixels.shape[1::-1]]
    image = normalise(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    predicted = predict(model, image[None])[0].cpu()
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    for axis, panel in zip(figure.subplots(1, 2), (pixels, plots.overlay(image, predicted, alpha=0.7))):
        axis.imshow(panel)
        axis.set_axis_off()
    plots.legend(figure, {len(VOC_CLASSES): VOC_CLASSES}.get(model.configuration["num_classes"], CLASSES), [predicted])
    return figure


def main() -> None:
    """Reads the command line, writes one picture for each photograph."""
    parser = argparse.ArgumentParser(prog="python -m fcn", description=__doc__.split(":")[0])
    parser.add_argument("photographs", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--weights", type=Path, required=True, help="a run's best.safetensors")
    parser.add_argument("--scale", type=float, default=0.5, help="factor on the sides (default: 0.5)")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for the pictures (default: this one)")
    options = parser.parse_args()
    try:
        model = from_weights(options.weights).to(best_device())
        for photograph in options.photographs:
            figure = segment(model, photograph, options.scale)
            with write_atomically(options.out / f"{photograph.stem}_segmented.png") as path:
                path.write_bytes(plots.png(figure))
            print(options.out / f"{photograph.stem}_segmented.png")
    except CourseError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
