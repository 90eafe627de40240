"""Facades drawn from a seed, in CMP Facade's classes and format, for machines without the photographs.

Each drawing follows one of the `STYLES`, which say how likely its parts are; colours, proportions, light and
weather are drawn anew, so that a class is told by its shape and place rather than by its colour. As in CMP,
what stands in front of the wall (trees, cars, posts) is labelled as what it hides, and a roof is background.
"""

import json
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from core.errors import CourseError, check_name
from core.files import write_atomically
from fcn.facades import street as surroundings
from fcn.facades.layout import MARGIN, Style, compose
from fcn.facades.parts import BACKGROUND, Canvas
from fcn.facades.surfaces import expose, grain, light, sky

_VERSION = 2  # of the drawings; a change of what a seed gives must change it
_PALETTE = bytes.fromhex(  # CMP's own, from label 0 on
    "000000 0000aa 0000ff 0055ff 00aaff 00ffff 55ffaa aaff55 ffff00 ffaa00 ff5500 ff0000 aa0000"
)
# CMP's file: label, name, and order of drawing
_LABEL_NAMES = (
    "1 background 1\n2 facade 2\n3 window 10\n4 door 5\n5 cornice 11\n6 sill 3\n7 balcony 4\n"
    "8 blind 6\n9 deco 8\n10 molding 7\n11 pillar 12\n12 shop 9\n"
)
_DRAWN = "These photographs and label maps were drawn by fcn.facades; nothing here was photographed.\n"

# fmt: off
_STYLES = {  # in two lines: walls and windows; then, between the railings, chances from "arched" to "shop"
    "classical": Style(("plaster", "ashlar"), (0.42, 0.55), (0.52, 0.66),
                       0.15, 0.95, 0.85, 0.50, ("balustrade", "solid"), 0.25, 0.75, 1.0, 0.85, 0.30),
    "brick": Style(("brick",), (0.42, 0.60), (0.46, 0.62),
                   0.30, 0.70, 0.90, 0.30, ("bars", "solid"), 0.40, 0.45, 0.85, 0.35, 0.35),
    "modern": Style(("plaster", "panels"), (0.48, 0.74), (0.42, 0.56),
                    0.0, 0.15, 0.60, 0.80, ("solid", "glass", "bars"), 0.55, 0.20, 0.45, 0.10, 0.30),
    "nouveau": Style(("plaster",), (0.40, 0.58), (0.52, 0.68),
                     0.55, 0.75, 0.70, 0.80, ("bars", "balustrade"), 0.30, 0.95, 0.80, 0.45, 0.35),
    "commercial": Style(("plaster", "ashlar", "brick"), (0.48, 0.72), (0.48, 0.64),
                        0.15, 0.55, 0.65, 0.35, ("bars", "glass"), 0.35, 0.50, 0.95, 0.55, 1.0),
    "cottage": Style(("plaster", "planks", "brick"), (0.34, 0.46), (0.46, 0.60),
                     0.10, 0.35, 0.90, 0.40, ("bars", "solid"), 0.95, 0.40, 0.70, 0.10, 0.15),
}
# fmt: on
STYLES = tuple(_STYLES)
_BASE_MIX = (0.30, 0.13, 0.10, 0.22, 0.15, 0.10)
_EXTENDED_MIX = (0.06, 0.20, 0.28, 0.12, 0.10, 0.24)


def draw_facade(seed: int, style: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """One facade: photograph (H, W, 3) uint8 RGB and label map (H, W) uint8 in 1..12, CMP's classes in order.

    H is in 256..352, W in 224..352; the same seed and style give the same bytes.

    Args:
        seed: of everything in the drawing.
        style: one of `STYLES`; None draws one.

    Raises:
        CourseError: an unknown style.
    """
    rng = np.random.default_rng(seed)
    drawn = str(rng.choice(STYLES))
    if style is not None:
        check_name("style", style, STYLES)
    size = int(rng.integers(256, 353)), int(rng.integers(224, 353))
    shape = size[0] + 2 * MARGIN, size[1] + 2 * MARGIN
    canvas = Canvas(sky(rng, shape), grain(rng, shape), rng)
    compose(canvas, _STYLES[style or drawn])
    _occlude(canvas)
    return _photograph(canvas, size)


def _occlude(canvas: Canvas) -> None:
    """Trees, lamp posts, cars and wires in front; the label map keeps what they hide, as CMP mostly does."""
    rng, (height, width) = canvas.rng, canvas.label.shape
    foot = height - MARGIN - int(rng.integers(0, 10))
    if rng.random() < 0.3:
        for _ in range(rng.integers(1, 3)):
            surroundings.tree(canvas, int(rng.integers(0, width)), foot, int(rng.uniform(0.3, 0.65) * height))
    if rng.random() < 0.25:
        surroundings.post(canvas, int(rng.integers(0, width)), foot, int(rng.uniform(0.3, 0.6) * height))
    if rng.random() < 0.35:
        for _ in range(rng.integers(1, 4)):
            surroundings.car(canvas, int(rng.integers(-20, width - 40)), foot + 6, int(rng.integers(70, 120)))
    if rng.random() < 0.25:
        ends = rng.integers(0, height * 2 // 3, 2)
        cv2.line(canvas.photo, (0, int(ends[0])), (width, int(ends[1])), (40.0, 40.0, 40.0), 1, cv2.LINE_AA)


def _photograph(canvas: Canvas, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The scene lit and seen by a camera slightly askew; photo and label go through the same homography."""
    rng, (height, width) = canvas.rng, size
    corners = np.float32([(0, 0), (width, 0), (width, height), (0, height)])
    seen = corners + MARGIN + rng.uniform(-0.25, 0.25, (4, 2)).astype(np.float32) * MARGIN
    homography = cv2.getPerspectiveTransform(seen.astype(np.float32), corners)
    lit = light(rng, canvas.photo, (canvas.photo != canvas.sky).any(axis=2))
    photo = cv2.warpPerspective(lit, homography, (width, height), flags=cv2.INTER_LINEAR)
    label = cv2.warpPerspective(canvas.label, homography, (width, height), flags=cv2.INTER_NEAREST)
    if rng.random() < 0.12:  # CMP's photographs were straightened, which leaves some corners empty
        corner = [(0, 0), (int(width * rng.uniform(0.1, 0.5)), 0), (0, int(height * rng.uniform(0.1, 0.3)))]
        if rng.random() < 0.5:
            corner = [(width - 1 - x, y) for x, y in corner]
        empty = float(rng.choice([0, 128]))
        cv2.fillConvexPoly(photo, np.int32(corner), (empty, empty, empty))
        cv2.fillConvexPoly(label, np.int32(corner), BACKGROUND)
    return expose(rng, photo), label


def write_facades(
    root: str | Path, train: int = 160, validation: int = 32, test: int = 48, seed: int = 0, progress: bool = False
) -> None:
    """Draws a data set in CMP's layout: base/cmp_b0001.jpg and .png, …, extended/cmp_x0001.jpg and .png, ….

    In the order base, extended come the training, validation and test images; base holds the first three
    quarters of the training images. "extended" mixes the styles differently, as CMP's does. splits.json is
    written last: where it stands and fits, the data are complete and nothing is done; what was interrupted is
    done again.

    Args:
        root: the folder, made if need be.
        train, validation, test: numbers of images.
        seed: of the whole set.
        progress: show a bar.

    Raises:
        CourseError: the folder holds photographs of another origin, or cannot be written to.
    """
    root = Path(root)
    splits = {"train": train, "validation": validation, "test": test, "seed": seed, "version": _VERSION}
    complete = json.dumps(splits) + "\n"
    path, mark = root / "splits.json", root / "drawn.txt"
    if path.is_file() and path.read_text() == complete:
        return
    if any(root.glob("*/*.jpg")) and not mark.is_file():
        raise CourseError(f"{root} holds photographs that were not drawn here; name another folder for the drawn ones.")
    path.unlink(missing_ok=True)
    _write_text(mark, _DRAWN)
    _write_text(root / "label_names.txt", _LABEL_NAMES)
    base, total = train * 3 // 4, train + validation + test
    names = [
        *(f"base/cmp_b{k + 1:04}" for k in range(base)),
        *(f"extended/cmp_x{k + 1:04}" for k in range(total - base)),
    ]
    for old in (*root.glob("base/cmp_b*.*"), *root.glob("extended/cmp_x*.*")):
        if f"{old.parent.name}/{old.stem}" not in names:
            old.unlink(missing_ok=True)
    (root / "base").mkdir(exist_ok=True)
    (root / "extended").mkdir(exist_ok=True)
    for index, name in enumerate(tqdm(names, desc="drawing facades", disable=not progress)):
        rng = np.random.default_rng([seed, index])
        style = str(rng.choice(STYLES, p=_BASE_MIX if index < base else _EXTENDED_MIX))
        photo, label = draw_facade(int(rng.integers(2**32)), style)
        _write_pair(root / name, photo, label)
    _write_text(path, complete)


def _write_pair(stem: Path, photo: np.ndarray, label: np.ndarray) -> None:
    with write_atomically(stem.with_suffix(".jpg")) as temporary:
        Image.fromarray(photo).save(temporary, quality=85)
    with write_atomically(stem.with_suffix(".png")) as temporary:
        image = Image.fromarray(label)
        image.putpalette(_PALETTE)
        image.save(temporary)


def _write_text(path: Path, text: str) -> None:
    with write_atomically(path) as temporary:
        temporary.write_text(text)
