"""The surroundings of a drawn facade: roof, street, doors and shops at its foot, and things in front of it."""

import cv2
import numpy as np

from fcn.facades.parts import BACKGROUND, DECO, DOOR, SHOP, Box, Canvas, WindowLook, arch, pane, window
from fcn.facades.surfaces import colour


def ornament(canvas: Canvas, box: Box, rgb: np.ndarray, kind: str) -> None:
    """A relief on the wall: a "panel" with a pattern, or an oval "medallion" with a garland."""
    rng = canvas.rng
    if kind == "panel":
        canvas.relief(box, rgb, DECO, cast=2)
        canvas.shade(box.grown(-2, -2, -2, -2), 0.86)
        step = max(6, box.height - 4)
        for x in range(box.left + step // 2 + 1, box.right - step // 2, step):
            centre = (x, (box.top + box.bottom) // 2)
            thickness = int(rng.integers(1, 3))
            cv2.circle(canvas.photo, centre, max(2, step // 2 - 1), (rgb * 1.1).tolist(), thickness)
            cv2.circle(canvas.photo, centre, 1, (rgb * 0.6).tolist(), -1)
        return
    centre = ((box.left + box.right) // 2, (box.top + box.bottom) // 2)
    axes = (max(2, box.width // 2), max(2, box.height // 2))
    cv2.ellipse(canvas.photo, (centre[0], centre[1] + 2), axes, 0, 0, 360, (rgb * 0.62).tolist(), -1)
    cv2.ellipse(canvas.photo, centre, axes, 0, 0, 360, (rgb * 1.05).tolist(), -1)
    cv2.ellipse(canvas.label, centre, axes, 0, 0, 360, DECO, -1)
    for share in (0.7, 0.35):
        inner = tuple(max(1, int(axis * share)) for axis in axes)
        tone = (rgb * rng.uniform(0.65, 0.85)).tolist()
        cv2.ellipse(canvas.photo, centre, inner, rng.uniform(-20, 20), 0, 360, tone, 1)


def door(canvas: Canvas, box: Box, rgb: np.ndarray, glass: np.ndarray, rise: float) -> None:
    """A door of one or two leaves with sunk panels or panes, perhaps with an arched fanlight."""
    rng, rows = canvas.rng, int(rise * box.width)
    where = (slice(box.top, box.top + rows), slice(box.left, box.right))
    before = canvas.photo[where].copy(), canvas.label[where].copy()
    canvas.fill(box, rgb, DOOR)
    head = max(rows, int(box.height * 0.22))
    pane(canvas, Box(box.left + 3, box.top + 3, box.right - 3, box.top + head), glass)
    leaves = 2 if box.width > 26 else 1
    glazed = rng.random() < 0.4
    for leaf in range(leaves):
        left, right = (box.left + box.width * k // leaves for k in (leaf, leaf + 1))
        for upper, lower in ((0.28, 0.60), (0.66, 0.93)):
            top, bottom = (box.top + int(box.height * share) for share in (upper, lower))
            panel = Box(left + 4, top, right - 4, bottom)
            if glazed and upper < 0.5:
                pane(canvas, panel, glass)
            else:
                canvas.shade(panel, 0.75)
                canvas.shade(panel.grown(-2, -2, -1, -1), 1.25)
        canvas.shade(Box(right - 1, box.top + head, right, box.bottom), 0.5)
    canvas.shade(Box(box.left, box.top, box.right, box.top + 3), 0.6)
    if rows:
        arch(canvas, box, before, rows)


def shop(canvas: Canvas, box: Box, look: WindowLook, sign: np.ndarray) -> None:
    """A shop front: signboard with lettering, large panes with goods behind them, perhaps an awning."""
    rng = canvas.rng
    front = look._replace(columns=max(1, box.width // 34), rows=1, rise=0.0)
    window(canvas, box, front, SHOP)
    for _ in range(box.width // 9):
        x = int(rng.integers(box.left + 3, box.right - 6))
        y = int(rng.integers(box.top + box.height // 2, box.bottom - 3))
        goods = Box(x, y, min(x + int(rng.integers(3, 9)), box.right - 2), box.bottom - 3)
        canvas.fill(goods, colour(rng, (0.0, 0.8), (0.2, 0.95)))
    board = Box(box.left, box.top, box.right, box.top + max(9, int(box.height * rng.uniform(0.18, 0.28))))
    canvas.relief(board, sign, SHOP, cast=2)
    ink = np.full(3, 245.0) if sign.mean() < 130 else np.full(3, 30.0)
    x = board.left + 5
    while x < board.right - 8:
        width = int(rng.integers(2, 6))
        if rng.random() < 0.8:
            canvas.fill(Box(x, board.top + 3, x + width, board.bottom - 3), ink)
        x += width + 2
    if rng.random() < 0.3:
        stripes = colour(rng, (0.2, 0.8), (0.4, 0.95))
        for k, left in enumerate(range(box.left, box.right, 6)):
            canvas.fill(
                Box(left, board.bottom, min(left + 6, box.right), board.bottom + box.height // 6),
                stripes if k % 2 else np.full(3, 225.0),
            )


def roof(canvas: Canvas, wall: Box, height: int, rgb: np.ndarray) -> None:
    """A roof above the wall with rows of tiles and chimneys, labelled background as in CMP."""
    rng, inset = canvas.rng, int(canvas.rng.integers(0, 30))
    for _ in range(rng.integers(0, 3)):
        x, rise = int(rng.integers(wall.left + inset, wall.right - inset - 14)), int(rng.integers(6, 16))
        chimney = Box(x, wall.top - height - rise, x + int(rng.integers(8, 14)), wall.top)
        canvas.fill(chimney, colour(rng, (0.1, 0.6), (0.25, 0.6), (0, 30)))
    canvas.polygon(
        [
            (wall.left - 3, wall.top),
            (wall.left + inset, wall.top - height),
            (wall.right - inset, wall.top - height),
            (wall.right + 3, wall.top),
        ],
        rgb,
    )
    for y in range(wall.top - 3, wall.top - height, -4):
        canvas.shade(Box(wall.left + inset, y, wall.right - inset, y + 1), 0.82)


def street(canvas: Canvas, top: int) -> None:
    """Pavement, kerb and road from row `top` down, labelled background."""
    rng, (height, width) = canvas.rng, canvas.label.shape
    pavement = colour(rng, (0.0, 0.15), (0.35, 0.8))
    canvas.fill(Box(0, top, width, height), pavement, BACKGROUND)
    kerb = top + max(4, (height - top) // 3)
    canvas.fill(Box(0, kerb, width, height), pavement * rng.uniform(0.45, 0.8))
    canvas.shade(Box(0, kerb, width, kerb + 2), 1.3)
    canvas.shade(Box(0, top, width, top + 2), 0.65)


def tree(canvas: Canvas, x: int, foot: int, height: int) -> None:
    """A tree in front of the wall, bare or in leaf. Labels stay: CMP labels what stands behind."""
    rng = canvas.rng
    bark = colour(rng, (0.1, 0.4), (0.12, 0.4), (15, 40))
    leaves = colour(rng, (0.25, 0.7), (0.2, 0.6), (45, 130))
    crown = foot - int(height * 0.65)
    cv2.line(canvas.photo, (x, foot), (x, crown), bark.tolist(), int(rng.integers(3, 7)))
    for _ in range(rng.integers(9, 18)):
        start = (x, int(rng.integers(crown - 8, crown + int(height * 0.3))))
        tip = (x + int(rng.normal(0, height * 0.22)), start[1] - int(rng.uniform(0.1, 0.5) * height))
        tone = (bark * rng.uniform(0.8, 1.2)).tolist()
        cv2.line(canvas.photo, start, tip, tone, int(rng.integers(1, 3)), cv2.LINE_AA)
    if rng.random() < 0.6:
        for _ in range(rng.integers(90, 260)):
            centre = (x + int(rng.normal(0, height * 0.15)), crown - int(rng.normal(0, height * 0.13)))
            tone = (leaves * rng.uniform(0.6, 1.4)).tolist()
            cv2.circle(canvas.photo, centre, int(rng.integers(1, 5)), tone, -1)


def car(canvas: Canvas, x: int, foot: int, length: int) -> None:
    """A parked car; labels stay."""
    rng, height = canvas.rng, int(length * 0.3)
    body = colour(rng, (0.0, 0.7), (0.15, 0.9))
    cabin = [
        (x + length * 0.2, foot - height * 0.55),
        (x + length * 0.32, foot - height),
        (x + length * 0.7, foot - height),
        (x + length * 0.85, foot - height * 0.55),
    ]
    canvas.polygon(cabin, body * 0.4)
    cv2.polylines(canvas.photo, [np.int32(cabin)], False, body.tolist(), 2)
    canvas.fill(Box(x, foot - int(height * 0.6), x + length, foot - 3), body)
    for wheel in (0.22, 0.78):
        centre = (x + int(length * wheel), foot - 4)
        cv2.circle(canvas.photo, centre, max(3, height // 4), (25.0, 25.0, 25.0), -1)


def post(canvas: Canvas, x: int, foot: int, height: int) -> None:
    """A lamp post; labels stay."""
    rgb = colour(canvas.rng, (0, 0.2), (0.1, 0.6)).tolist()
    cv2.line(canvas.photo, (x, foot), (x, foot - height), rgb, int(canvas.rng.integers(2, 5)))
    cv2.circle(canvas.photo, (x, foot - height), 5, (230.0, 230.0, 215.0), -1)
