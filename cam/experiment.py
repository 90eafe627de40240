"""The localisation table: do the maps lie on the objects, and does it matter where their cells are put?

`experiments/localization.py` scores every kind of map of the small ResNet-18s trained from three seeds. Thresholds are
chosen on validation pictures, scores are of test pictures.
"""

import functools
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from cam.cam import class_activation_map, top_prediction
from cam.gradcam import grad_cam, logits_of
from cam.layers import layer_grid
from cam.localization import (
    THRESHOLDS,
    best_threshold,
    box_accuracy,
    box_overlaps,
    pixel_average_precision,
    pointing_game,
)
from cam.pictures import PATTERNS, Pictures
from cam.resnet import ResNet18
from cam.upsampling import upsample_aligned, upsample_ordinary
from core.photographs import normalise
from fcn.geometry import Grid

# Of the pictures; training pictures have seeds from 1000 on. Seed 3000 was looked at while the networks' training was
# being chosen (files/README.md), so the scores are of pictures that nobody had seen by then.
VALIDATION_SEED, TEST_SEED = 2000, 5000
IOUS = (0.3, 0.5, 0.7)
BATCH = 20  # pictures that a network sees at once: more of them no processor's cache holds

Maker = Callable[[Pictures], np.ndarray]  # gives the (N, H, W) maps of a set of pictures


def score_row(make: Maker, validation: Pictures, test: Pictures) -> dict[str, float]:
    """One row of the table: scores on the test pictures, and the thresholds chosen on the validation pictures."""
    overlaps = box_overlaps(make(validation), validation.masks, THRESHOLDS)
    maps = make(test)
    row = {"pointing": pointing_game(maps, test.masks)}
    for iou in IOUS:
        row[f"threshold_{iou}"] = best_threshold(overlaps, iou)
        row[f"box_accuracy_{iou}"] = box_accuracy(maps, test.masks, row[f"threshold_{iou}"], iou)
    row["pixel_average_precision"] = pixel_average_precision(maps, test.masks)
    return row


def map_makers(model: nn.Module, seed: int = 0) -> dict[str, Maker]:
    """What the rows of the table are made of, for a trained network; `seed` draws the random controls.

    Unless the row says otherwise the maps are of each picture's true class, so that a wrong prediction doesn't
    pass for a wrong place. The networks see each set of pictures once, however many rows ask for it.
    """
    grid = layer_grid(model, "layer4")
    torch.manual_seed(seed)
    untrained = ResNet18(len(PATTERNS), width=model.conv1.out_channels / 64).eval().to(model.conv1.weight.device)
    features = functools.cache(last_features)

    def cam(network: ResNet18, split: Pictures, wrong: int = 0) -> Tensor:
        classes = (split.labels + wrong) % len(PATTERNS)
        return class_activation_map(features(network, split), network.fc.weight.detach().cpu(), classes)

    return {
        "CAM, ordinary upsampling": lambda split: ordinary(cam(model, split), split),
        "CAM, aligned": lambda split: aligned(cam(model, split), split, grid),
        "Grad-CAM at layer4, aligned": lambda split: aligned(grad_cams(model, split, "layer4"), split, grid),
        "Grad-CAM at layer3, aligned": lambda split: aligned(
            grad_cams(model, split, "layer3"), split, layer_grid(model, "layer3")
        ),
        "random map": lambda split: aligned(random_cells(split, grid, seed), split, grid),
        "centre blob": centre_blob,
        "wrong class": lambda split: aligned(cam(model, split, wrong=1), split, grid),
        "random weights": lambda split: aligned(cam(untrained, split), split, grid),
        "oracle mask at the map's resolution": lambda split: aligned(oracle_cells(split, grid), split, grid),
    }


CONTROLS = ("random map", "centre blob", "wrong class", "random weights")
HIDDEN = ("CAM, ordinary upsampling", "CAM, aligned", *CONTROLS)  # the rows whose top pixels are hidden


def localization_table(
    makers: Mapping[str, Maker], validation: Pictures, test: Pictures
) -> dict[str, dict[str, float]]:
    """Every row of the table; see `map_makers` and `score_row`."""
    return {name: score_row(make, validation, test) for name, make in makers.items()}


@torch.inference_mode()
def probability_lost(
    model: nn.Module, maps: Mapping[str, np.ndarray], split: Pictures, share: float = 0.1
) -> dict[str, float]:
    """What hiding each map's top pixels costs: the mean fall of the true class's probability.

    The `share` of the pixels with the greatest values is painted grey (zero after normalisation).

    Args:
        maps: (N, H, W) maps of the pictures, by name.
    """
    falls: dict[str, list[Tensor]] = {name: [] for name in maps}
    for places in np.array_split(np.arange(len(split)), -(-len(split) // BATCH)):
        x, labels = _seen(model, split.images[places]), torch.from_numpy(split.labels[places])[:, None]
        before = model(x)[0].softmax(1).cpu().gather(1, labels)
        for name, of_all in maps.items():
            flat = torch.from_numpy(of_all[places]).flatten(1)
            hidden = torch.zeros_like(flat, dtype=torch.bool)
            hidden.scatter_(1, flat.topk(round(share * flat.shape[1]), dim=1).indices, True)
            covered = x.masked_fill(hidden.view(len(x), 1, *x.shape[2:]).to(x.device), 0.0)
            falls[name].append(before - model(covered)[0].softmax(1).cpu().gather(1, labels))
    return {name: float(torch.cat(parts).mean()) for name, parts in falls.items()}


def offset_scan(model: nn.Module, split: Pictures, offsets: np.ndarray, threshold: float) -> list[float]:
    """Box accuracy at IoU 0.5 with layer4's first cell put at each of the offsets, in pixels."""
    cells, step = cams(model, split), layer_grid(model, "layer4").step
    return [
        box_accuracy(aligned(cells, split, Grid(float(start), step)), split.masks, threshold, 0.5) for start in offsets
    ]


@torch.inference_mode()
def accuracy(model: nn.Module, split: Pictures) -> float:
    """Share of the pictures whose most probable class is the true one."""
    predicted = torch.cat(
        [top_prediction(logits_of(model(_seen(model, batch))))[0].cpu() for batch in _batches(split.images)]
    )
    return float((predicted.numpy() == split.labels).mean())


@torch.inference_mode()
def last_features(model: ResNet18, split: Pictures) -> Tensor:
    """(N, C, h, w): what class activation maps are made of."""
    return torch.cat([model(_seen(model, images))[1].cpu() for images in _batches(split.images)])


def cams(model: ResNet18, split: Pictures) -> Tensor:
    """(N, h, w) class activation maps of the labelled classes."""
    return class_activation_map(last_features(model, split), model.fc.weight.detach().cpu(), split.labels)


def grad_cams(model: nn.Module, split: Pictures, layer: str) -> Tensor:
    """(N, h, w) Grad-CAM maps of the labelled classes, with the paper's ReLU."""
    return torch.cat(
        [
            grad_cam(model, _seen(model, images), labels, layer, relu=True).cpu()
            for images, labels in zip(_batches(split.images), _batches(split.labels))
        ]
    )


def random_cells(split: Pictures, grid: Grid, seed: int) -> Tensor:
    """Uniform random values for as many cells as the network's map has."""
    cells = -(-split.images.shape[1] // int(grid.step))
    return torch.rand(len(split), cells, cells, generator=torch.Generator().manual_seed(seed))


def oracle_cells(split: Pictures, grid: Grid) -> Tensor:
    """The best a map of this resolution could say: the share of the object in the square around each cell."""
    masks = torch.from_numpy(split.masks).float()[:, None]
    side, reach = int(grid.step), int(grid.step) // 2 - int(grid.start)
    cells = -(-masks.shape[-1] // side)
    return nn.functional.avg_pool2d(masks, side, padding=reach, count_include_pad=False)[:, 0, :cells, :cells]


def centre_blob(split: Pictures) -> np.ndarray:
    """A round hill in the middle of every picture."""
    return np.repeat(hill(split.images.shape[1:3])[None], len(split), axis=0)


def hill(shape: tuple[int, int]) -> np.ndarray:
    """(H, W): 1 in the middle, falling off like a bell whose deviation is a fifth of each side."""
    down, across = (np.exp(-((np.arange(side) - (side - 1) / 2) ** 2) / (2 * (side / 5) ** 2)) for side in shape)
    return down[:, None] * across


def aligned(cells: Tensor, split: Pictures, grid: Grid) -> np.ndarray:
    return upsample_aligned(cells, split.images.shape[1:3], grid).numpy()


def ordinary(cells: Tensor, split: Pictures) -> np.ndarray:
    return upsample_ordinary(cells, split.images.shape[1:3]).numpy()


def _batches(values: np.ndarray, size: int = BATCH) -> list[np.ndarray]:
    return [values[i : i + size] for i in range(0, len(values), size)]


def _seen(model: nn.Module, images: np.ndarray) -> Tensor:
    """What a network sees of (N, H, W, 3) images, where the network is; channels last, which is faster everywhere."""
    return normalise(images).to(next(model.parameters()).device, memory_format=torch.channels_last)
