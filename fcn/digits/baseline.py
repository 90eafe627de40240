"""What a digit FCN has to beat: a threshold says where ink is, the classifier what it is."""

import cv2
import numpy as np

from fcn.digits.data import BOX, SIDE
from fcn.digits.networks import DigitClassifier
from fcn.digits.scenes import BACKGROUND, THRESHOLD
from fcn.digits.training import classify

SMALLEST = 10  # pixels: a smaller patch of ink is taken for dirt


def single_baseline(classifier: DigitClassifier, images: np.ndarray) -> np.ndarray:
    """In two lines: classify the image, give its class to the pixels above the threshold the masks were made with.

    Args:
        images: (N, 28, 28) float32 in 0..1, one digit each.

    Returns:
        (N, 28, 28) int64 in 0..10.
    """
    classes = classify(classifier, images)
    return np.where(images > THRESHOLD, classes[:, None, None], BACKGROUND)


def scene_baseline(classifier: DigitClassifier, images: np.ndarray, otsu: bool) -> np.ndarray:
    """The same for scenes: each connected patch of ink (8 neighbours) is classified by itself.

    A patch of at least `SMALLEST` pixels is cut out by its box with all else blackened, scaled so that its longer
    side is 20 pixels, and centred by its mass in 28 × 28, as MNIST's digits are.

    Args:
        images: (N, H, W) float32 in 0..1.
        otsu: False takes as ink what is above `THRESHOLD`, which is the truth on clean scenes; True finds each
            scene's own threshold (Otsu, 1979) and takes the smaller side, bright or dark, for ink.

    Returns:
        (N, H, W) int64 in 0..10.
    """
    predicted = np.full(images.shape, BACKGROUND)
    patches, places = [], []
    for number, image in enumerate(images):
        ink, brightness = _otsu(image) if otsu else (image > THRESHOLD, image)
        _, parts, boxes, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
        for part, (left, top, width, height, area) in enumerate(boxes[1:], start=1):
            if area >= SMALLEST:
                box = slice(top, top + height), slice(left, left + width)
                patches.append(_as_mnist(np.where(parts[box] == part, brightness[box], 0)))
                places.append((number, box, parts[box] == part))
    if patches:
        for (number, box, inside), digit in zip(places, classify(classifier, np.stack(patches))):
            predicted[number][box][inside] = digit
    return predicted


def _otsu(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ink, and the picture with its ink bright, stretched to 0..1."""
    _, bright = cv2.threshold((255 * image).astype(np.uint8), 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    stretched = (image - image.min()) / max(image.max() - image.min(), 1e-6)
    return (bright > 0, stretched) if bright.mean() <= 0.5 else (bright == 0, 1 - stretched)


def _as_mnist(patch: np.ndarray) -> np.ndarray:
    """A patch (h, w) of ink, scaled to MNIST's box and centred by its mass in (28, 28) float32."""
    scale = BOX / max(patch.shape)
    size = [max(1, round(side * scale)) for side in patch.shape[::-1]]
    scaled = cv2.resize(patch.astype(np.float32), size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    rows, columns = np.indices(scaled.shape)
    mass = max(scaled.sum(), 1e-6)
    top, left = (
        int(np.clip(round((SIDE - 1) / 2 - (scaled * places).sum() / mass), 0, SIDE - side))
        for places, side in zip((rows, columns), scaled.shape)
    )
    image = np.zeros((SIDE, SIDE), np.float32)
    image[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return image
