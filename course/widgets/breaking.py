"""A photograph cropped, covered and turned, and what a classifier makes of it then."""

from functools import partial

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from cam.classifiers import Classifier, explain
from cam.overlay import overlay
from core.errors import CourseError
from core.photographs import IMAGENET_MEAN
from core.plotting import picture
from course.widgets.hands_on import Drawing, hands_on, slider

GREY = tuple(np.round(255 * IMAGENET_MEAN.flatten().numpy()).astype(int).tolist())  # zero to the network


def crop(photograph: np.ndarray, share: float) -> np.ndarray:
    """The middle of an (H, W, 3) photograph, a share in 0..1 of each side.

    Raises:
        CourseError: nothing is left.
    """
    height, width = (round(side * share) for side in photograph.shape[:2])
    if min(height, width) < 2:
        raise CourseError(f"Cropped to {share:.0%} nothing is left of the photograph; keep more of it.")
    top, left = (photograph.shape[0] - height) // 2, (photograph.shape[1] - width) // 2
    return photograph[top : top + height, left : left + width]


def cover(photograph: np.ndarray, heat: np.ndarray, share: float) -> np.ndarray:
    """An (H, W, 3) uint8 photograph with the share of its pixels grey on which an (H, W) map is greatest.

    Args:
        heat: NaN where there is no map; what is covered has one.
        share: of the pixels with a map, 0..1.
    """
    count = round(share * (~np.isnan(heat)).sum())
    greatest = np.argsort(np.where(np.isnan(heat), -np.inf, heat), axis=None, kind="stable")[heat.size - count :]
    covered = photograph.copy()
    covered.reshape(-1, 3)[greatest] = GREY
    return covered


def turn(photograph: np.ndarray, degrees: float) -> np.ndarray:
    """An (H, W, 3) uint8 photograph turned anticlockwise about its middle; corners that come free are grey."""
    turned = Image.fromarray(photograph).rotate(degrees, Image.Resampling.BILINEAR, fillcolor=GREY)
    return np.asarray(turned)


def draw(
    classifier: Classifier, photograph: np.ndarray, heat: np.ndarray, kept: float, covered: float, turned: float
) -> Drawing:
    """The photograph covered, turned and cropped, in this order, and beside it the map of what is seen in it then.

    Args:
        heat: the map of the whole photograph, which says what to cover.
        kept: share of each side, 0..1.
        covered: share of the pixels, 0..1.
        turned: degrees.
    """
    broken = crop(turn(cover(photograph, heat, covered), turned), kept)
    seen = explain(classifier, broken)
    height, width = broken.shape[:2]
    figure = Figure(figsize=(10, 5 * height / width + 0.4), layout="constrained")
    plain, mapped = figure.subplots(1, 2)
    picture(plain, broken, f"{kept:.0%} of each side, {covered:.0%} covered, turned by {turned:g}°")
    picture(mapped, overlay(broken, seen.heat, 0.6, "inferno"), f"{seen.name}, {seen.probability:.2f}")
    changed = f"{kept:.0%} of each side kept, {covered:.0%} of its pixels covered, turned by {turned:g} degrees"
    return figure, f"A photograph, {changed}, and the map of what the network sees in it: {seen.name}."


def break_it(classifier: Classifier, photograph: np.ndarray) -> None:
    """How much to keep, to cover and to turn, beginning with the whole photograph."""
    heat = explain(classifier, photograph).heat
    controls = {
        "kept": slider("kept", 1, 0.1, 1, 0.05),
        "covered": slider("covered", 0, 0, 0.5, 0.05),
        "turned": slider("turned", 0, 0, 345, 15),
    }
    hands_on(partial(draw, classifier, photograph, heat), controls)
