"""Does a map lie on the object? Scores for maps against masks.

Sources: pointing game, Zhang et al., "Top-down Neural Attention by Excitation Backprop", ECCV 2016 (with its
15-pixel tolerance where masks are `widened` first); MaxBoxAcc and PxAP, Choe et al., "Evaluating Weakly Supervised
Object Localization Methods Right", CVPR 2020; energy, Wang et al., "Score-CAM", CVPR workshops 2020.

Maps are (N, H, W) floats of any scale, masks (N, H, W) bool with something of the object in each.
"""

from collections.abc import Sequence

import cv2
import numpy as np

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; right and bottom are excluded

THRESHOLDS = np.linspace(0.05, 0.95, 37)  # of a map scaled to 0..1, from which a validation split chooses
BINS = 1000  # steps of the scaled maps in pixel average precision, as in Choe et al.


def unit_maps(maps: np.ndarray) -> np.ndarray:
    """Scales each map to 0..1 (its own least and greatest value); a constant map becomes 0."""
    low = maps.min(axis=(1, 2), keepdims=True)
    span = maps.max(axis=(1, 2), keepdims=True) - low
    return np.divide(maps - low, span, out=np.zeros(maps.shape), where=span > 0)


def pointing_game(maps: np.ndarray, masks: np.ndarray) -> float:
    """Share of the maps whose greatest value lies on the object.

    Where several pixels share the greatest value, the hit is the share of them that lies on the object: what
    picking one of them blindly would give.
    """
    greatest = maps == maps.max(axis=(1, 2), keepdims=True)
    return float(((greatest & masks).sum(axis=(1, 2)) / greatest.sum(axis=(1, 2))).mean())


def widened(mask: np.ndarray, tolerance: float) -> np.ndarray:
    """An (H, W) bool mask and all that is nearer to it than `tolerance` pixels: Zhang et al. take 15."""
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) < tolerance


def mask_box(mask: np.ndarray) -> Box:
    """The smallest box around an (H, W) bool mask's True pixels."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def map_box(unit_map: np.ndarray, threshold: float) -> Box:
    """The box around the largest connected region (8 neighbours) where an (H, W) map reaches the threshold."""
    reached = (unit_map >= threshold).astype(np.uint8)
    across, down, width, height = cv2.boundingRect(reached)
    if width == 0:
        return 0, 0, 0, 0
    # Labelling takes ten times as long as following outlines: only where there are several, of regions or of holes.
    part = reached[down : down + height, across : across + width]
    if len(cv2.findContours(part, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]) == 1:
        return across, down, across + width, down + height
    _, _, regions, _ = cv2.connectedComponentsWithStats(part)  # the first is the background
    left, top, width, height, _ = regions[1 + regions[1:, cv2.CC_STAT_AREA].argmax()].tolist()
    return across + left, down + top, across + left + width, down + top + height


def box_iou(first: Box, second: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(width, 0) * max(height, 0)
    areas = sum((right - left) * (bottom - top) for left, top, right, bottom in (first, second))
    return shared / (areas - shared)


def box_overlaps(maps: np.ndarray, masks: np.ndarray, thresholds: Sequence[float]) -> np.ndarray:
    """(len(thresholds), N): the overlap of each map's box at each threshold with the object's box."""
    pairs = zip(unit_maps(maps), masks)
    return np.array([map_overlaps(unit_map, [mask_box(mask)], thresholds) for unit_map, mask in pairs]).T


def map_overlaps(unit_map: np.ndarray, boxes: Sequence[Box], thresholds: Sequence[float]) -> list[float]:
    """The overlap of an (H, W) map's box at each threshold with that of several objects' boxes that it fits best."""
    found = [map_box(unit_map, threshold) for threshold in thresholds]
    return [max(box_iou(box, other) for other in boxes) for box in found]


def box_accuracy(maps: np.ndarray, masks: np.ndarray, threshold: float, iou: float) -> float:
    """Share of the maps whose box at `threshold` overlaps the object's box by at least `iou`."""
    return float((box_overlaps(maps, masks, [threshold]) >= iou).mean())


def best_threshold(overlaps: np.ndarray, iou: float, thresholds: Sequence[float] = THRESHOLDS) -> float:
    """The threshold (the lowest, if several) with the highest box accuracy.

    Args:
        overlaps: from `box_overlaps`, of a split on which no score is reported.
    """
    return float(thresholds[(overlaps >= iou).mean(axis=1).argmax()])


def pixel_average_precision(maps: np.ndarray, masks: np.ndarray) -> float:
    """Area under the precision-recall curve of "this pixel is on the object", over all pixels of all maps.

    The maps are scaled to 0..1 each and cut into `BINS` steps; pixels of one step count as tied.
    """
    steps = np.floor(unit_maps(maps) * BINS).astype(np.int64).ravel()
    on = np.bincount(steps[masks.ravel()], minlength=BINS + 1)[::-1].cumsum()
    off = np.bincount(steps[~masks.ravel()], minlength=BINS + 1)[::-1].cumsum()
    precision = on / np.maximum(on + off, 1)
    recall = on / on[-1]
    return float((np.diff(recall, prepend=0.0) * precision).sum())


def energy_inside(maps: np.ndarray, masks: np.ndarray) -> float:
    """Mean share of a map's positive part that lies on the object; a map without a positive part counts as 0."""
    positive = np.maximum(maps, 0)
    total = positive.sum(axis=(1, 2))
    inside = (positive * masks).sum(axis=(1, 2))
    return float(np.divide(inside, total, out=np.zeros_like(total), where=total > 0).mean())


def spread(maps: np.ndarray) -> float:
    """Mean entropy of the maps' positive parts, as a share of a constant map's: 0 one pixel, 1 even all over.

    A map without a positive part says nothing about a place and counts as even.
    """
    positive = np.maximum(maps, 0).reshape(len(maps), -1)
    total = positive.sum(axis=1, keepdims=True)
    share = np.divide(positive, total, out=np.full_like(positive, 1 / positive.shape[1]), where=total > 0)
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    return float(-(share * logs).sum(axis=1).mean() / np.log(positive.shape[1]))
