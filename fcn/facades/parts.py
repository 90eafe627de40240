"""The parts of a drawn facade: each draws itself, with one outline, into the photograph and the label map.

The labels follow CMP's habits: "cornice" is the strip over a window, "molding" a band along the wall.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator

from fcn.facades.surfaces import colour

(BACKGROUND, FACADE, WINDOW, DOOR, CORNICE, SILL, BALCONY, BLIND, DECO, MOLDING, PILLAR, SHOP) = range(1, 13)


class Box(NamedTuple):
    """A rectangle in pixels, right and bottom excluded."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def grown(self, left: int, top: int, right: int, bottom: int) -> "Box":
        """The box with its sides moved outwards (inwards where negative)."""
        return Box(self.left - left, self.top - top, self.right + right, self.bottom + bottom)


class Canvas:
    """A photograph (H, W, 3) float32 in 0..255 and its label map (H, W) uint8, drawn together.

    Attributes:
        sky: (H, W, 3) what the photograph was before anything was drawn.
        grain: (H, W) factor around 1 that every painted surface takes on.
        sun: -1 where light falls in from the left, 1 from the right.
    """

    def __init__(self, sky: np.ndarray, grain: np.ndarray, rng: Generator) -> None:
        self.sky, self.grain, self.rng = sky, grain, rng
        self.photo = np.array(sky, np.float32, order="C")
        self.label = np.full(sky.shape[:2], BACKGROUND, np.uint8)
        self.sun = int(rng.choice([-1, 1]))

    def _slices(self, box: Box) -> tuple[slice, slice]:
        return slice(max(box.top, 0), max(box.bottom, 0)), slice(max(box.left, 0), max(box.right, 0))

    def fill(self, box: Box, rgb: np.ndarray, label: int | None = None, texture: np.ndarray | None = None) -> None:
        """Paints a box with a colour under the grain, or under another texture."""
        where = self._slices(box)
        self.photo[where] = rgb * (self.grain if texture is None else texture)[where][..., None]
        if label:
            self.label[where] = label

    def shade(self, box: Box, factor: float) -> None:
        """Makes a box darker (below 1) or lighter; labels stay."""
        self.photo[self._slices(box)] *= factor

    def polygon(self, corners: list[tuple[float, float]], rgb: np.ndarray, label: int | None = None) -> None:
        """Paints a polygon evenly."""
        points = np.int32(np.round(corners))
        cv2.fillPoly(self.photo, [points], rgb.tolist())
        if label:
            cv2.fillPoly(self.label, [points], label)

    def relief(self, box: Box, rgb: np.ndarray, label: int | None, cast: int) -> None:
        """A box that stands out of the wall: lit above, dark below, a shadow of `cast` pixels beneath."""
        self.shade(Box(box.left - self.sun, box.bottom, box.right - self.sun, box.bottom + cast), 0.72)
        self.fill(box, rgb, label)
        edge = max(1, box.height // 5)
        self.shade(Box(box.left, box.top, box.right, box.top + edge), 1.12)
        self.shade(Box(box.left, box.bottom - edge, box.right, box.bottom), 0.80)


def arch(canvas: Canvas, box: Box, before: tuple[np.ndarray, np.ndarray], rise: int) -> None:
    """Rounds the upper end of what was drawn into `box`; outside it comes back `before` (photo, label)."""
    outside = np.full((max(rise, 1), box.width), 1, np.uint8)
    cv2.ellipse(outside, (box.width // 2, rise), (box.width // 2, rise), 0, 180, 360, 0, -1)
    where = (slice(box.top, box.top + rise), slice(box.left, box.right))
    for now, then in zip((canvas.photo, canvas.label), before):
        now[where][outside == 1] = then[:rise][outside == 1]


def pane(canvas: Canvas, box: Box, rgb: np.ndarray) -> None:
    """Glass: a tone of its own, a reflection of sky or of the house opposite, perhaps curtains."""
    rng = canvas.rng
    canvas.fill(box, rgb * rng.uniform(0.75, 1.25))
    if rng.random() < 0.55:
        height = int(box.height * rng.uniform(0.25, 0.9))
        slant = int(rng.integers(-box.width, box.width + 1) * 0.4)
        lower = [(box.right - 1, box.top + height - slant), (box.left, box.top + height + slant)]
        corners = [
            (box.left, box.top),
            (box.right - 1, box.top),
            *((x, np.clip(y, box.top, box.bottom - 1)) for x, y in lower),
        ]
        canvas.polygon(corners, np.clip(rgb * 0.5 + rng.uniform(40, 150), 0, 255))
    if rng.random() < 0.35:
        curtain, share = colour(rng, (0.0, 0.2), (0.55, 0.95)), rng.uniform(0.15, 0.4)
        width = max(2, int(box.width * share))
        canvas.fill(Box(box.left, box.top, box.left + width, box.bottom), curtain)
        canvas.fill(Box(box.right - width, box.top, box.right, box.bottom), curtain * 0.95)


class WindowLook(NamedTuple):
    """The look that all windows of a facade share: colours (RGB), bars, thickness of the frame in pixels."""

    glass: np.ndarray
    frame: np.ndarray
    columns: int
    rows: int
    thickness: int
    rise: float  # height of the arch as a share of the width; 0 for a straight lintel


def window(canvas: Canvas, box: Box, look: WindowLook, label: int = WINDOW) -> None:
    """A window with frame and glazing bars, sunk into the wall, so that its lintel shades it."""
    rise = int(look.rise * box.width)
    where = (slice(box.top, box.top + rise), slice(box.left, box.right))
    before = canvas.photo[where].copy(), canvas.label[where].copy()
    canvas.fill(box, look.frame, label)
    frame = look.thickness
    pane(canvas, box.grown(-frame, -frame, -frame, -frame), look.glass)
    bar = max(1, frame - 1)
    for index in range(1, look.columns):
        x = box.left + box.width * index // look.columns
        canvas.fill(Box(x - bar // 2, box.top, x - bar // 2 + bar, box.bottom), look.frame)
    for index in range(1, look.rows):
        y = box.top + int(box.height * (0.3 if look.rows == 2 else index / look.rows))
        canvas.fill(Box(box.left, y, box.right, y + bar), look.frame)
    canvas.shade(Box(box.left, box.top, box.right, box.top + 3), 0.6)
    canvas.shade(
        Box(box.left, box.top, box.left + 2, box.bottom)
        if canvas.sun < 0
        else Box(box.right - 2, box.top, box.right, box.bottom),
        0.65,
    )
    if rise:
        arch(canvas, box, before, rise)


def blind(canvas: Canvas, box: Box, rgb: np.ndarray, kind: str, width: int) -> None:
    """Over a window's `box` a "roller", partly lowered, or beside it "shutters" of the given width."""
    rng = canvas.rng
    if kind == "roller":
        lowered = int(box.height * rng.uniform(0.3, 0.85))
        leaves = [Box(box.left + 1, box.top + 1, box.right - 1, box.top + lowered)]
    else:
        leaves = [
            Box(box.left - width, box.top, box.left, box.bottom),
            Box(box.right, box.top, box.right + width, box.bottom),
        ]
    for leaf in leaves:
        canvas.fill(leaf, rgb, BLIND)
        for y in range(leaf.top, leaf.bottom - 1, 3):  # slats
            canvas.shade(Box(leaf.left + 1, y, leaf.right - 1, y + 1), 0.78)
        if kind == "shutters":
            canvas.shade(Box(leaf.left, leaf.top, leaf.left + 1, leaf.bottom), 0.7)
            canvas.shade(Box(leaf.right - 1, leaf.top, leaf.right, leaf.bottom), 0.7)


def hood(canvas: Canvas, box: Box, rgb: np.ndarray, kind: str) -> None:
    """The cornice over a window: a "flat" strip, or a "pediment" or "segment" on top of one."""
    if kind != "flat":
        top, middle = box.top - int(box.width * 0.18), (box.left + box.right) / 2
        corners = (
            [(box.left, box.top), (middle, top), (box.right - 1, box.top)]
            if kind == "pediment"
            else [
                (middle - np.cos(a) * (box.width - 1) / 2, box.top - np.sin(a) * (box.top - top))
                for a in np.linspace(0, np.pi, 13)
            ]
        )
        canvas.polygon(corners, rgb * 0.92, CORNICE)
        cv2.polylines(canvas.photo, [np.int32(np.round(corners))], False, (rgb * 1.1).tolist(), 2)
        cv2.polylines(canvas.label, [np.int32(np.round(corners))], False, CORNICE, 2)
    canvas.relief(box, rgb, CORNICE, cast=3)


def band(canvas: Canvas, box: Box, rgb: np.ndarray, dentils: bool) -> None:
    """A molding along the wall, in steps, perhaps with a row of dentils."""
    canvas.relief(box, rgb, MOLDING, cast=max(2, box.height // 4))
    for share, factor in ((0.35, 0.82), (0.6, 1.1)):
        y = box.top + int(box.height * share)
        canvas.shade(Box(box.left, y, box.right, y + max(1, box.height // 8)), factor)
    if dentils and box.height >= 9:
        for x in range(box.left, box.right, 6):
            canvas.shade(Box(x, box.bottom - box.height // 3, x + 3, box.bottom - 1), 0.7)


def pillar(canvas: Canvas, box: Box, rgb: np.ndarray, fluted: bool) -> None:
    """A pilaster with base and capital, its far side in the shade."""
    canvas.fill(box, rgb, PILLAR)
    for x in range(box.left + 2, box.right - 2, 3) if fluted else ():
        canvas.shade(Box(x, box.top + 6, x + 1, box.bottom - 6), 0.82)
    canvas.shade(Box(box.left, box.top, box.left + 2, box.bottom), 1.12 if canvas.sun < 0 else 0.72)
    canvas.shade(Box(box.right - 2, box.top, box.right, box.bottom), 0.72 if canvas.sun < 0 else 1.12)
    for end in (
        Box(box.left - 2, box.top, box.right + 2, box.top + 6),
        Box(box.left - 2, box.bottom - 6, box.right + 2, box.bottom),
    ):
        canvas.relief(end, rgb, PILLAR, cast=1)


def balcony(canvas: Canvas, box: Box, rgb: np.ndarray, iron: np.ndarray, kind: str) -> None:
    """A balcony's railing ("bars", "solid", "balustrade" or "glass") on its slab; all the box is labelled."""
    slab = max(4, box.height // 5)
    railing = Box(box.left, box.top, box.right, box.bottom - slab)
    canvas.shade(Box(box.left, box.bottom, box.right, box.bottom + 5), 0.62)
    if kind == "solid":
        canvas.fill(railing, rgb)
        canvas.shade(railing.grown(-4, -4, -4, -2), 0.88)
    elif kind == "balustrade":
        canvas.shade(railing, 0.6)
        for x in range(railing.left, railing.right, 6):
            canvas.fill(Box(x, railing.top, min(x + 4, railing.right), railing.bottom), rgb)
    else:
        if kind == "glass":
            canvas.photo[canvas._slices(railing)] *= 0.55
            canvas.photo[canvas._slices(railing)] += 0.45 * iron
        for x in range(railing.left, railing.right, 4 if kind == "bars" else 16):
            canvas.fill(Box(x, railing.top, x + 1, railing.bottom), iron)
    handrail = iron if kind in ("bars", "glass") else rgb * 1.08
    canvas.fill(Box(box.left, box.top, box.right, box.top + 2), handrail)
    canvas.label[canvas._slices(box)] = BALCONY
    canvas.relief(Box(box.left, box.bottom - slab, box.right, box.bottom), rgb, BALCONY, cast=0)
