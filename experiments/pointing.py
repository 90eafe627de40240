"""The localisation table on photographs: VOC 2007's, whose boxes say where the objects are.

To run it: `python -m experiments.pointing --data DIR`.

A linear head for VOC's 20 classes learns from four fifths of the training photographs; the last fifth chooses its
regularisation and each map's threshold; the 2,510 photographs of the validation list are scored. Every map is of a
class that is in the photograph, and points well if its peak lies in a box of that class (Zhang et al., ECCV 2016,
section 4.1, on VOC 2007's test list). All scores are means over classes.
"""

import argparse
import hashlib
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from cam.efficientnet import SecondHalf, pretrained_lite0
from cam.localization import THRESHOLDS, best_threshold, map_overlaps, pointing_game, unit_maps, widened
from core import command
from core.files import ROOT, check_writable, sha256
from core.record import new_record, project_path, write_record
from experiments.voc_head import (
    CLASSES,
    LONGER,
    Boxed,
    average_precisions,
    fit_head,
    halfway_features,
    pooled_features,
    presence,
)
from experiments.voc_maps import Cells, Mapped, Target, mapped, random_cams
from fcn.geometry import Grid
from fcn.voc import boxed_photographs

YEAR = "2007"
TOLERANCE = 15  # pixels of the photograph
IOU = 0.5
COARSE = THRESHOLDS[::2]
STRIDE = 4  # boxes are drawn around every fourth pixel; cells are ten times as far apart
OFFSETS = range(-24, 25, 4)  # pixels of what the network sees
RESULTS = ROOT / "files" / "results" / "voc2007_cam"


def choose_thresholds(found: Sequence[Mapped]) -> dict[str, float]:
    """Each row's threshold with the best boxes; of photographs on which no score is reported."""
    overlaps = defaultdict(list)
    for one in tqdm(found, desc="thresholds"):
        for name, cells in one.rows.items():
            for unit_map, target in zip(coarse_unit_maps(cells.on(one.shape, one.seen)), one.targets):
                overlaps[name].append(map_overlaps(unit_map, coarse_boxes(target), COARSE))
    return {name: best_threshold(np.array(values).T, IOU, COARSE) for name, values in overlaps.items()}


def coarse_unit_maps(placed: np.ndarray) -> np.ndarray:
    """Every fourth row and column of maps (K, H, W), each scaled to 0..1."""
    return unit_maps(placed[:, ::STRIDE, ::STRIDE])


def coarse_boxes(target: Target) -> list[tuple[float, ...]]:
    return [tuple(side / STRIDE for side in box) for box in target.boxes]


def score(found: Iterator[Mapped], thresholds: Mapping[str, float]) -> tuple[dict[str, dict], dict[str, int]]:
    """The table, by row; and how many targets it is of."""
    values, labels, difficult, single = defaultdict(list), [], [], []
    for one in found:
        for target in one.targets:
            labels.append(target.label)
            difficult.append(target.difficult)
            single.append(len(target.boxes) == 1)
        near = [widened(target.mask, TOLERANCE) for target in one.targets]
        for name, threshold in thresholds.items():
            placed = one.rows[name].on(one.shape, one.seen)
            for values_map, unit_map, target, tolerant in zip(placed, coarse_unit_maps(placed), one.targets, near):
                values[name].append(
                    [
                        pointing_game(values_map[None], target.mask[None]),
                        pointing_game(values_map[None], tolerant[None]),
                        map_overlaps(unit_map, coarse_boxes(target), [threshold])[0],
                        *shift(unit_map, target.boxes[0], one),
                    ]
                )
    labels, difficult, single = np.array(labels), np.array(difficult), np.array(single)
    table = {}
    for name, threshold in thresholds.items():
        pointing, tolerant, overlap, right, down = np.array(values[name]).T
        table[name] = {
            "pointing": class_mean(pointing, labels),
            "pointing_15px": class_mean(tolerant, labels),
            "pointing_difficult": class_mean(pointing[difficult], labels[difficult]),
            "pointing_difficult_15px": class_mean(tolerant[difficult], labels[difficult]),
            f"threshold_{IOU}": threshold,
            f"box_accuracy_{IOU}": class_mean(overlap >= IOU, labels),
            "shift": [float(np.nanmean(right[single])), float(np.nanmean(down[single]))],
        }
    return table, {"targets": len(labels), "difficult_targets": int(difficult.sum())}


def class_mean(values: np.ndarray, labels: np.ndarray) -> float:
    """The mean over classes of each class's mean."""
    return float(np.mean([values[labels == label].mean() for label in np.unique(labels)]))


def shift(unit_map: np.ndarray, box: tuple[int, int, int, int], one: Mapped) -> tuple[float, float]:
    """How far the centre of a map's upper half lies right and down of a box's, in pixels of what the network saw."""
    top = np.maximum(unit_map - 0.5, 0)
    if not top.any():
        return np.nan, np.nan
    across, down = top.sum(0), top.sum(1)
    x = STRIDE * (across @ np.arange(len(across))) / across.sum()
    y = STRIDE * (down @ np.arange(len(down))) / down.sum()
    left, upper, right, lower = box
    return (
        (x - (left + right - 1) / 2) * one.seen[1] / one.shape[1],
        (y - (upper + lower - 1) / 2) * one.seen[0] / one.shape[0],
    )


def offset_scan(found: Sequence[Mapped], threshold: float) -> dict[str, list[float]]:
    """CAM's pointing and box accuracy with its first cell put at each of OFFSETS."""
    scan = {"offset": list(OFFSETS), "pointing": [], f"box_accuracy_{IOU}": []}
    labels = np.array([target.label for one in found for target in one.targets])
    for offset in tqdm(OFFSETS, desc="offsets"):
        hits, overlaps = [], []
        for one in found:
            cells = one.rows["CAM, aligned"]
            placed = Cells(cells.values, Grid(offset, cells.grid.step)).on(one.shape, one.seen)
            for values_map, unit_map, target in zip(placed, coarse_unit_maps(placed), one.targets):
                hits.append(pointing_game(values_map[None], target.mask[None]))
                overlaps.append(map_overlaps(unit_map, coarse_boxes(target), [threshold])[0])
        scan["pointing"].append(class_mean(np.array(hits), labels))
        scan[f"box_accuracy_{IOU}"].append(class_mean(np.array(overlaps) >= IOU, labels))
    return scan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds VOCdevkit/VOC2007")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the splits (default: 0 1 2)")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"folder (default: {project_path(RESULTS)})")


def run(options: argparse.Namespace) -> None:
    """Writes one record for each seed."""
    check_writable(options.out)
    training, validation = (boxed_photographs(options.data, split, YEAR) for split in ("train", "val"))
    model = pretrained_lite0().to(memory_format=torch.channels_last)
    halfway, scored_halfway = halfway_features(model, training), halfway_features(model, validation)
    rest = SecondHalf(model)
    pooled, scored = pooled_features(rest, halfway), pooled_features(rest, scored_halfway)
    unlearned = random_cams(validation)
    identity = data_sha256([*training, *validation])
    for seed in options.seeds:
        started = time.perf_counter()
        head = fit_head(pooled, presence(training), seed)
        rest.fc = head.linear
        chosen = [training[place] for place in head.held_out]
        held_out = list(mapped(rest, chosen, [halfway[place] for place in head.held_out], random_cams(chosen), seed))
        thresholds = choose_thresholds(held_out)
        table, counts = score(mapped(rest, validation, scored_halfway, unlearned, seed), thresholds)
        precisions = average_precisions(head.linear(torch.from_numpy(scored)).numpy(), presence(validation))
        record = new_record(
            f"python -m experiments.pointing --data {project_path(options.data)} --seeds {seed}",
            {"seed": seed, "longer_side": LONGER, "regularisation": head.strength},
            started,
            seed=seed,
            data={"name": "PASCAL VOC 2007, train and val", "sha256": identity, "classes": CLASSES},
            validation={"mean_average_precision": head.mean_average_precision},
            test={"mean_average_precision": float(np.mean(list(precisions.values())))},
            measured={
                "average_precision": precisions,
                "table": table,
                **counts,
                "offsets": offset_scan(held_out, thresholds["CAM, aligned"]),
            },
        )
        write_record(record, options.out / f"seed{seed}.json")
        print(options.out / f"seed{seed}.json")


def data_sha256(photographs: Sequence[Boxed]) -> str:
    """What tells these photographs with their boxes from any others."""
    texts = (f"{sha256(path)} {objects}\n" for path, objects in photographs)
    return hashlib.sha256("".join(texts).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(command.main(sys.modules[__name__], "python -m experiments.pointing"))
