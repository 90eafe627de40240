"""The maps of VOC's photographs that the localisation table scores, and the controls beside them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from cam.cam import class_activation_map
from cam.efficientnet import EfficientNetLite0, SecondHalf
from cam.experiment import hill
from cam.gradcam import grad_cam
from cam.upsampling import sample, upsample_ordinary
from cam.view import seen_size, whole
from core.photographs import photograph_size, read_photograph
from experiments.voc_head import CLASSES, LONGER, Boxed
from fcn.geometry import Grid
from fcn.voc import VOCObject

LAST, EARLIER = Grid(0, 32), Grid(0, 16)  # of EfficientNet-Lite0's last features, and of `blocks.4`
# Where resizing puts the last cells on sides of 32 k pixels. On sides of 32 k + 1 it draws them to the middle instead:
# by half a cell at the edges, not at all in the centre.
HALF_A_CELL_OFF = Grid(15.5, 32)


@dataclass(frozen=True)
class Target:
    """One class in one photograph.

    Attributes:
        label: a place in CLASSES.
        boxes: of all its objects, in the photograph's pixels.
        mask: (H, W) bool, True inside them.
        difficult: whether the boxes cover less than a quarter of the photograph and objects of other classes are in
            it: the subset that Zhang et al. call difficult.
    """

    label: int
    boxes: list[tuple[int, int, int, int]]
    mask: np.ndarray
    difficult: bool


def targets_of(objects: Sequence[VOCObject], shape: tuple[int, int]) -> list[Target]:
    """The classes in a photograph of (H, W) pixels but those of which VOC calls every object difficult."""
    targets = []
    for label in sorted({one.label for one in objects if not one.difficult}):
        boxes = [one.box for one in objects if one.label == label]
        mask = np.zeros(shape, bool)
        for left, top, right, bottom in boxes:
            mask[top:bottom, left:right] = True
        distracted = any(one.label != label for one in objects)
        targets.append(Target(label - 1, boxes, mask, distracted and mask.mean() < 0.25))
    return targets


@dataclass(frozen=True)
class Cells:
    """Maps at their own resolution, (K, h, w), and where to put them: on a grid, or by resizing where it is None."""

    values: Tensor
    grid: Grid | None

    def on(self, shape: tuple[int, int], seen: tuple[int, int]) -> np.ndarray:
        """(K, H, W): on the pixels of a photograph of that shape, which the network saw as `seen` (h, w) pixels."""
        if self.grid is None:
            return upsample_ordinary(self.values, shape).numpy()
        rows, columns = ((torch.arange(p) + 0.5) * s / p - 0.5 for p, s in zip(shape, seen))
        return sample(self.values, rows, columns, self.grid).numpy()


@dataclass(frozen=True)
class Mapped:
    """A photograph's maps.

    Attributes:
        shape, seen: its (H, W) pixels, and as how many the network saw it.
        targets: K classes that are in it.
        rows: by row of the table, K maps.
    """

    shape: tuple[int, int]
    seen: tuple[int, int]
    targets: list[Target]
    rows: dict[str, Cells]


@torch.no_grad()
def random_cams(photographs: Sequence[Boxed]) -> list[Tensor]:
    """Of each whole photograph, the maps of all classes, (20, h, w), by a network of random weights."""
    torch.manual_seed(0)
    untrained = EfficientNetLite0(len(CLASSES)).eval().to(memory_format=torch.channels_last)
    seen = (whole(read_photograph(path), LONGER) for path, _ in photographs)
    classes = torch.arange(len(CLASSES))
    return [
        class_activation_map(untrained(x)[1][0], untrained.fc.weight, classes)
        for x in tqdm(seen, total=len(photographs), desc="random weights")
    ]


def mapped(
    rest: SecondHalf,
    photographs: Sequence[Boxed],
    halfway: Sequence[Tensor],
    unlearned: Sequence[Tensor],
    seed: int,
) -> Iterator[Mapped]:
    """Every row's maps, photograph by photograph; those without a target are left out.

    Args:
        rest: with VOC's head.
        halfway, unlearned: of each photograph, from `halfway_features` and `random_cams`.
        seed: of the random map.
    """
    generator = torch.Generator().manual_seed(seed)
    weight = rest.fc.weight.detach()
    for (path, objects), features, random_maps in zip(tqdm(photographs), halfway, unlearned):
        width, height = photograph_size(path)
        shape = height, width
        targets = targets_of(objects, shape)
        if not targets:
            continue
        labels = torch.tensor([target.label for target in targets])
        absent = sorted(set(range(len(CLASSES))) - {one.label - 1 for one in objects})
        wrong = torch.tensor([absent[label % len(absent)] for label in labels])
        masks = torch.stack([torch.from_numpy(target.mask).float() for target in targets])[:, None]
        features = features.float()
        with torch.no_grad():
            _, last = rest(features)
        cam = class_activation_map(last[0], weight, labels)
        early = grad_cam(rest, features, labels[None], "start", relu=True)[0]
        rows = {
            "CAM, ordinary upsampling": Cells(cam, None),
            "CAM, aligned": Cells(cam, LAST),
            "CAM, half a cell to the lower right": Cells(cam, HALF_A_CELL_OFF),
            # Before its ReLU, Grad-CAM at the last layer is CAM over the number of cells.
            "Grad-CAM at the last layer, ordinary upsampling": Cells(cam.relu(), None),
            "Grad-CAM at the last layer, aligned": Cells(cam.relu(), LAST),
            "Grad-CAM at blocks.4, ordinary upsampling": Cells(early, None),
            "Grad-CAM at blocks.4, aligned": Cells(early, EARLIER),
            "random map": Cells(torch.rand(cam.shape, generator=generator), LAST),
            "centre blob": Cells(torch.from_numpy(hill(shape)).float().expand(len(targets), *shape), None),
            "wrong class": Cells(class_activation_map(last[0], weight, wrong), LAST),
            "random weights": Cells(random_maps[labels], LAST),
            "oracle boxes at the map's resolution": Cells(
                nn.functional.interpolate(masks, cam.shape[1:], mode="area")[:, 0], None
            ),
        }
        yield Mapped(shape, seen_size(shape, LONGER), targets, rows)
