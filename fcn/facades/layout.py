"""How the parts of a drawn facade are laid out: floors and bays, and which part goes where in each."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from fcn.facades import parts
from fcn.facades import street as surroundings
from fcn.facades.parts import BACKGROUND, FACADE, SILL, Box, Canvas, WindowLook
from fcn.facades.surfaces import colour, masonry, wall_colour

MARGIN = 24  # pixels drawn around the image, so that turning it shows no border


@dataclass(frozen=True)
class Style:
    """Chances (0..1) that a facade of the style has the part, and what its walls and windows are like."""

    walls: tuple[str, ...]
    width: tuple[float, float]  # of a window, as a share of its bay
    height: tuple[float, float]  # of a window, as a share of its floor
    arched: float
    hoods: float
    sills: float
    balconies: float
    railings: tuple[str, ...]
    blinds: float
    deco: float
    bands: float
    pillars: float
    shop: float


def compose(canvas: Canvas, style: Style) -> None:
    """The scene without what stands in front of it: neighbours, roof, wall with its parts, street."""
    rng, (height, width) = canvas.rng, canvas.label.shape
    inner_height, inner_width = height - 2 * MARGIN, width - 2 * MARGIN
    # Within the drawing, for arches are cut out of it; at its edge, which the margin hides, the wall goes on.
    sides = [MARGIN + int(rng.integers(6, 0.13 * inner_width)) if rng.random() < 0.4 else 0 for _ in range(2)]
    top = MARGIN + int(inner_height * rng.uniform(0.08, 0.22)) if rng.random() < 0.8 else 0
    street = int(inner_height * rng.uniform(0.02, 0.09)) if rng.random() < 0.85 else -6
    wall = Box(sides[0], top, width - sides[1], height - MARGIN - street)

    texture = canvas.grain * masonry(rng, canvas.label.shape, str(rng.choice(style.walls)))
    rgb = wall_colour(rng)
    trim = _trim_colour(rng, rgb)
    bluish = rng.random() < 0.75
    glass = colour(rng, (0.0, 0.35), (0.12, 0.75), (170, 260)) if bluish else wall_colour(rng) * 0.6
    frame = np.full(3, rng.uniform(190, 250)) if rng.random() < 0.5 else colour(rng, (0.0, 0.6), (0.1, 0.6))
    look = WindowLook(
        glass,
        frame,
        int(rng.integers(1, 4)),
        int(rng.integers(1, 4)),
        int(rng.integers(2, 4)),
        float(rng.uniform(0.2, 0.5)) if rng.random() < style.arched else 0.0,
    )

    _neighbours(canvas, wall, look)
    if rng.random() < 0.7:
        surroundings.roof(canvas, wall, int(rng.integers(8, 40)), colour(rng, (0.0, 0.55), (0.2, 0.65)))
    canvas.fill(wall, rgb, FACADE, texture)
    _wall_parts(canvas, wall, style, look, trim)
    surroundings.street(canvas, wall.bottom)


def _trim_colour(rng: Generator, wall: np.ndarray) -> np.ndarray:
    kind = rng.random()
    if kind < 0.55:  # the wall's own colour, painted a little lighter or darker
        return np.clip(wall * (rng.uniform(0.72, 0.92) if kind < 0.2 else rng.uniform(1.08, 1.3)), 20, 250)
    return colour(rng, (0.02, 0.25), (0.55, 0.97), (10, 60)) if kind < 0.85 else wall_colour(rng)


def _neighbours(canvas: Canvas, wall: Box, look: WindowLook) -> None:
    """Strips of the houses next door: background, but their windows are labelled, as in CMP."""
    rng, (height, width) = canvas.rng, canvas.label.shape
    for strip in (Box(0, 0, wall.left, height), Box(wall.right, 0, width, height)):
        if strip.width <= 0 or rng.random() < 0.25:
            continue
        top = int(rng.integers(0, height // 2))
        canvas.fill(strip._replace(top=top), wall_colour(rng), BACKGROUND)
        if strip.width > MARGIN + 20:
            for y in range(top + 20, height - 80, 76):
                x = MARGIN + 2 if strip.left == 0 else strip.left + 4
                parts.window(canvas, Box(x, y, x + strip.width - MARGIN - 8, y + 40), look)


class _Plan(NamedTuple):
    """Settings that all bays of a wall share: which parts there are, of what kind, colour and size (pixels)."""

    has: dict[str, bool]
    look: WindowLook
    trim: np.ndarray
    hood: str
    railing: str
    iron: np.ndarray
    blind: str
    blind_colour: np.ndarray
    deco: str
    deco_place: str
    sill: int
    lintel: int
    over: int  # how far sills and hoods reach beyond the window


def _wall_parts(canvas: Canvas, wall: Box, style: Style, look: WindowLook, trim: np.ndarray) -> None:
    """Everything on the wall: moldings, pillars, the grid of windows with their parts, the ground floor."""
    rng = canvas.rng
    floors = max(2, round(wall.height / rng.uniform(66, 88)))
    bays = max(2, round(wall.width / rng.uniform(62, 92)))
    crown = int(rng.integers(12, 32)) if rng.random() < style.bands else 0
    lines = np.linspace(wall.top + crown, wall.bottom, floors + 1)
    lines[1:-1] += rng.uniform(-4, 4, floors - 1)
    lines, columns = lines.astype(int), np.linspace(wall.left, wall.right, bays + 1).astype(int)

    if rng.random() < style.pillars:
        _pillars(canvas, lines, columns, trim)
    if crown:
        box = Box(wall.left - 4, wall.top, wall.right + 4, wall.top + crown)
        parts.band(canvas, box, trim, rng.random() < 0.5)
    depth = int(rng.integers(8, 20))
    for line in lines[1:-1]:
        if rng.random() < style.bands * 0.8:
            top = line - depth // 2
            parts.band(canvas, Box(wall.left, top, wall.right, top + depth), trim, rng.random() < 0.25)

    railing, optional = str(rng.choice(style.railings)), ("hoods", "sills", "balconies", "blinds", "deco")
    plan = _Plan(
        has={part: rng.random() < getattr(style, part) for part in optional},
        look=look,
        trim=trim,
        hood=str(rng.choice(["flat", "flat", "pediment", "segment"])),
        railing=railing,
        iron=colour(rng, (0.0, 0.3), (0.08, 0.5) if railing == "bars" else (0.3, 0.9)),
        blind=str(rng.choice(["roller", "shutters"])),
        blind_colour=wall_colour(rng) if rng.random() < 0.5 else colour(rng, (0.0, 0.7), (0.15, 0.95)),
        deco=str(rng.choice(["panel", "medallion"])),
        deco_place=str(rng.choice(["below", "above", "between"])),
        sill=int(rng.integers(5, 9)),
        lintel=int(rng.integers(7, 14)),
        over=int(rng.integers(2, 7)),
    )
    share = rng.uniform(*style.width), rng.uniform(*style.height)
    with_balcony = rng.random(bays) < 0.5
    with_balcony |= with_balcony[::-1]  # facades are symmetric, mostly
    for floor in range(floors - 1):
        balconied, hooded, decorated = rng.random(3) < (0.7, 0.85, 0.7)
        for bay in range(bays):
            cell = Box(columns[bay], lines[floor], columns[bay + 1], lines[floor + 1])
            width, height = int(cell.width * share[0]), int(cell.height * share[1])
            left, top = cell.left + (cell.width - width) // 2, cell.top + int((cell.height - height) * 0.55)
            _bay(
                canvas,
                cell,
                Box(left, top, left + width, top + height),
                plan,
                balconied and with_balcony[bay],
                hooded,
                decorated,
            )
    _ground_floor(canvas, lines[-2] + depth // 2, lines[-1], columns, plan, rng.random() < style.shop)


def _bay(canvas: Canvas, cell: Box, box: Box, plan: _Plan, balcony: bool, hood: bool, deco: bool) -> None:
    """A window in its cell of the wall, with what goes above, below and beside it."""
    rng, has = canvas.rng, plan.has
    if has["deco"] and deco:
        right = max(cell.right, box.right + 14) - 2
        gap = {
            "above": Box(box.left, cell.top + 6, box.right, box.top - plan.lintel - 3),
            "below": Box(box.left, box.bottom + plan.sill + 3, box.right, cell.bottom - 7),
            "between": Box(box.right + 4, box.top + 6, right, box.bottom - 12),
        }[plan.deco_place]
        if gap.height < 8:
            gap = gap._replace(bottom=gap.top + 12)
        kind = "medallion" if plan.deco_place == "between" else plan.deco
        surroundings.ornament(canvas, gap, plan.trim, kind)
    if not plan.look.rise and rng.random() < 0.8:  # a plain surround, part of the wall
        canvas.fill(box.grown(3, 3, 3, 0), plan.trim)
    parts.window(canvas, box, plan.look)
    if has["blinds"] and rng.random() < 0.7:
        beside = min(int(box.width * 0.42), (cell.width - box.width) // 2 - 2)
        kind = plan.blind if beside >= 5 else "roller"
        parts.blind(canvas, box, plan.blind_colour, kind, beside)
    if has["hoods"] and hood:
        rise = 0 if plan.look.rise == 0 else 2
        bottom = box.top - 2 - rise
        strip = Box(box.left - plan.over, bottom - plan.lintel, box.right + plan.over, bottom)
        parts.hood(canvas, strip, plan.trim, plan.hood)
    if has["balconies"] and balcony:
        reach = min(plan.over + 6, (cell.width - box.width) // 2)
        low = min(box.bottom + 8, cell.bottom - 2)
        parts.balcony(
            canvas,
            Box(box.left - reach, low - int(box.height * 0.55), box.right + reach, low),
            plan.trim,
            plan.iron,
            plan.railing,
        )
    elif has["sills"]:
        strip = Box(box.left - plan.over, box.bottom, box.right + plan.over, box.bottom + plan.sill)
        canvas.relief(strip, plan.trim, SILL, cast=3)


def _pillars(canvas: Canvas, lines: np.ndarray, columns: np.ndarray, trim: np.ndarray) -> None:
    """Pilasters between the bays (all, or the outer ones) over several floors."""
    rng = canvas.rng
    width, fluted = int(rng.integers(8, 17)), rng.random() < 0.5
    first = int(rng.integers(0, 2)) if len(lines) > 3 else 0
    last = -1 if rng.random() < 0.4 else -2
    chosen = range(len(columns)) if rng.random() < 0.6 else (0, len(columns) - 1)
    for index in chosen:
        # the outermost stand inside the wall
        shift = width // 2 + 2 if index == 0 else -width // 2 - 2 if index == len(columns) - 1 else 0
        left = columns[index] + shift - width // 2
        parts.pillar(canvas, Box(left, lines[first], left + width, lines[last]), trim, fluted)


def _ground_floor(canvas: Canvas, top: int, bottom: int, columns: np.ndarray, plan: _Plan, shops: bool) -> None:
    """The street level: a door in one bay; shop fronts, or windows, in the others."""
    rng, bays = canvas.rng, len(columns) - 1
    door_bay = int(rng.integers(0, bays)) if rng.random() < 0.8 else -1
    door_colour, sign = wall_colour(rng) * rng.uniform(0.5, 1.0), wall_colour(rng)
    rise = float(rng.uniform(0.25, 0.5)) if rng.random() < 0.4 else 0.0
    width_share, shop_share = rng.uniform(0.38, 0.56), rng.uniform(0.72, 0.94)
    for bay in range(bays):
        cell = Box(columns[bay], top, columns[bay + 1], bottom)
        middle = (cell.left + cell.right) // 2
        if bay == door_bay:
            half = max(10, int(cell.width * width_share / 2))
            box = Box(middle - half, cell.top + int(cell.height * 0.14), middle + half, bottom)
            canvas.fill(box.grown(4, 4, 4, 0), plan.trim)
            surroundings.door(canvas, box, door_colour, plan.look.glass, rise)
        elif shops and rng.random() < 0.85:
            half = int(cell.width * shop_share / 2)
            box = Box(middle - half, cell.top + int(cell.height * 0.10), middle + half, bottom - 4)
            surroundings.shop(canvas, box, plan.look, sign)
        else:
            half = int(cell.width * width_share / 2)
            above, below = int(cell.height * 0.2), int(cell.height * 0.28)
            box = Box(middle - half, cell.top + above, middle + half, bottom - below)
            _bay(canvas, cell, box, plan, balcony=False, hood=False, deco=False)
