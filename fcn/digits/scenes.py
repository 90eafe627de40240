"""Pictures to segment, composed of digits: one each, grids of several, and a hard version where thresholding fails.

The idea of scenes of several MNIST digits with a label for each pixel is M2NIST's; these are drawn anew from a seed
and never stored. A pixel is a digit's if the digit's own brightness there is above `THRESHOLD`, before anything is
done to the scene.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from fcn.digits.data import Digits

CLASSES = (*"0123456789", "background")
BACKGROUND = 10
THRESHOLD = 0.4  # of full brightness: an antialiased edge pixel belongs to the digit from here on
SIZE = (56, 84)  # height and width of a composed scene in pixels
GAP = 2  # pixels between the digits of a clean grid
TRIES = 30  # to find a free place for a digit before it is left out


@dataclass(frozen=True)
class Scenes:
    """Pictures with a label for each pixel.

    Attributes:
        images: (N, H, W) float32 in 0..1.
        masks: (N, H, W) uint8; 0..9 are digits, 10 is background.
    """

    images: np.ndarray
    masks: np.ndarray

    def __len__(self) -> int:
        return len(self.masks)


def single_digits(digits: Digits) -> Scenes:
    """Each digit as its own picture, 28 × 28."""
    images = digits.images.astype(np.float32) / 255
    labels = digits.labels[:, None, None].astype(np.uint8)
    return Scenes(images, np.where(images > THRESHOLD, labels, np.uint8(BACKGROUND)))


def grids(digits: Digits, count: int, seed: int) -> Scenes:
    """Clean scenes of 56 × 84: three to six digits at random places, at least two pixels apart, on black."""
    return _draw_scenes(_draw_grid, digits, count, seed)


def hard_scenes(digits: Digits, count: int, seed: int) -> Scenes:
    """Scenes of 56 × 84 where brightness doesn't tell a digit: 0.6 to 1.4 times as large, many of them touching,
    among strokes that are none, in uneven light, with noise, half of them dark on bright."""
    return _draw_scenes(_draw_hard, digits, count, seed)


def _draw_scenes(draw, digits: Digits, count: int, seed: int) -> Scenes:
    generator = np.random.default_rng(seed)
    images, masks = zip(*(draw(digits, generator) for _ in range(count)))
    return Scenes(np.stack(images), np.stack(masks))


def _draw_grid(digits: Digits, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    canvas, mask, taken = _empty()
    for index in generator.integers(len(digits), size=generator.integers(3, 7)):
        ink = ink_box(digits.images[index])
        place = _free_place(ink.shape, taken, generator)
        if place:
            _paste(ink, digits.labels[index], place, canvas, mask, taken)
    return canvas, mask


def _draw_hard(digits: Digits, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    canvas, mask, taken = _empty()
    for index in generator.integers(len(digits), size=generator.integers(3, 6)):
        ink = ink_box(digits.images[index])
        scale = generator.uniform(0.6, 1.4)
        size = [max(2, round(side * scale)) for side in ink.shape[::-1]]
        ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        place = _beside_the_last(ink, canvas, taken, generator) if generator.random() < 0.5 else None
        place = place or _free_place(ink.shape, taken, generator)
        if place:
            _paste(ink, digits.labels[index], place, canvas, mask, taken)
    strokes = np.zeros(SIZE, np.uint8)
    for _ in range(generator.integers(3, 8)):
        _draw_stroke(strokes, generator)
    canvas = np.maximum(canvas, strokes.astype(np.float32) / 255)
    return _expose(canvas, generator), mask


def ink_box(image: np.ndarray) -> np.ndarray:
    """The smallest part of a digit's uint8 image that holds all its ink, as float32 in 0..1."""
    rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return np.zeros((1, 1), np.float32)
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / 255


def _empty() -> tuple[np.ndarray, np.ndarray, list]:
    return np.zeros(SIZE, np.float32), np.full(SIZE, BACKGROUND, np.uint8), []


def _free_place(shape: tuple[int, int], taken: list, generator: np.random.Generator) -> tuple[int, int] | None:
    """A random top and left for a box of this shape, `GAP` away from those taken; None if none was found."""
    height, width = shape
    for _ in range(TRIES):
        top, left = generator.integers(SIZE[0] - height + 1), generator.integers(SIZE[1] - width + 1)
        if _is_free(top, left, shape, taken):
            return top, left
    return None


def _is_free(top: int, left: int, shape: tuple[int, int], taken: list) -> bool:
    return all(
        top >= bottom + GAP
        or top + shape[0] + GAP <= other_top
        or left >= right + GAP
        or left + shape[1] + GAP <= other_left
        for other_top, other_left, bottom, right in taken
    )


def _beside_the_last(
    ink: np.ndarray, canvas: np.ndarray, taken: list, generator: np.random.Generator
) -> tuple[int, int] | None:
    """To the right of the last digit, moved left until their ink touches; None if there is no room."""
    if not taken:
        return None
    height, width = ink.shape
    top = int(np.clip(taken[-1][0] + generator.integers(-4, 5), 0, SIZE[0] - height))
    right = taken[-1][3]
    grown = cv2.dilate((ink > THRESHOLD).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    for left in range(min(right, SIZE[1] - width), max(right - 8, -1), -1):
        if (grown & (canvas[top : top + height, left : left + width] > THRESHOLD)).any():
            return (top, left) if _is_free(top, left, ink.shape, taken[:-1]) else None
    return None


def _paste(
    ink: np.ndarray, label: int, place: tuple[int, int], canvas: np.ndarray, mask: np.ndarray, taken: list
) -> None:
    """Lays a digit on; where two lie on each other, the brighter one shows."""
    (top, left), (height, width) = place, ink.shape
    part = slice(top, top + height), slice(left, left + width)
    mask[part][(ink > THRESHOLD) & (ink > canvas[part])] = label
    canvas[part] = np.maximum(canvas[part], ink)
    taken.append((top, left, top + height, left + width))


def _draw_stroke(strokes: np.ndarray, generator: np.random.Generator) -> None:
    """An arc, from nearly straight to half round, as thick and as bright as a digit's."""
    centre = tuple(int(v) for v in generator.integers((-10, -10), (SIZE[1] + 10, SIZE[0] + 10)))
    axes = tuple(int(v) for v in generator.integers(5, 26, 2))
    start = generator.uniform(0, 360)
    cv2.ellipse(
        strokes,
        centre,
        axes,
        generator.uniform(0, 180),
        start,
        start + generator.uniform(40, 160),
        int(generator.integers(150, 256)),
        int(generator.integers(1, 4)),
        cv2.LINE_AA,
    )


def _expose(canvas: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Ink and paper of drawn brightness, a slope of light across, noise; half the time the paper is the brighter."""
    rows, columns = np.mgrid[-0.5 : 0.5 : SIZE[0] * 1j, -0.5 : 0.5 : SIZE[1] * 1j]
    down, across = generator.uniform(-0.3, 0.3, 2)
    paper, ink = generator.uniform(0.1, 0.35), generator.uniform(0.65, 0.9)
    image = paper + (ink - paper) * canvas + down * rows + across * columns
    image += generator.normal(0, generator.uniform(0.03, 0.12), SIZE)
    image = image.clip(0, 1)
    return (1 - image if generator.random() < 0.5 else image).astype(np.float32)
