"""Small folders in VOC's and SBD's layout."""

from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image
from samples import save_label

from fcn.dataset import VOID


def label_map(height: int, width: int, seed: int) -> np.ndarray:
    """Background, one object with a void outline."""
    label = np.zeros((height, width), np.uint8)
    label[height // 3 :, width // 4 : 3 * width // 4] = VOID
    label[height // 3 + 1 :, width // 4 + 1 : 3 * width // 4 - 1] = 1 + seed % 20
    return label


def write_image(path: Path, label: np.ndarray, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 60, (*label.shape, 3))
    Image.fromarray((noise + 9 * np.minimum(label, 21)[..., None]).astype(np.uint8)).save(path, quality=95)


def write_voc(
    root: Path, lists: dict[str, list[str]], base: str = "VOCdevkit/VOC2007", height: int = 30, width: int = 44
) -> Path:
    folder = root / base
    (folder / "ImageSets" / "Segmentation").mkdir(parents=True)
    (folder / "SegmentationClass").mkdir()
    for name, images in lists.items():
        (folder / "ImageSets" / "Segmentation" / f"{name}.txt").write_text("\n".join(images) + "\n")
        for seed, image in enumerate(images):
            label = label_map(height, width, seed)
            write_image(folder / "JPEGImages" / f"{image}.jpg", label, seed)
            save_label(folder / "SegmentationClass" / f"{image}.png", label)
    return folder


TRAIN = [f"{number:06}" for number in range(1, 13)]
VAL = [f"{number:06}" for number in range(20, 23)]


def write_sbd(folder: Path, lists: dict[str, list[str]]) -> None:
    (folder / "cls").mkdir(parents=True)
    for name, images in lists.items():
        (folder / f"{name}.txt").write_text("\n".join(images) + "\n")
        for seed, image in enumerate(images):
            label = label_map(24, 36, seed)
            write_image(folder / "img" / f"{image}.jpg", label, seed)
            inner = np.empty((1, 1), dtype=[("Segmentation", object)])
            inner[0, 0] = (label,)
            scipy.io.savemat(folder / "cls" / f"{image}.mat", {"GTcls": inner})


def write_boxed_voc(root: Path, lists: dict[str, list[list[tuple[str, tuple[int, int, int, int], bool]]]]) -> None:
    """VOC 2007's detection task: by list, for each photograph of 40 × 60 pixels its objects' class, box (right and
    bottom excluded) and whether they are difficult. Each class has a grey of its own."""
    folder = root / "VOCdevkit/VOC2007"
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    number = 0
    for split, photographs in lists.items():
        names = [f"{number + place:06}" for place in range(len(photographs))]
        (folder / "ImageSets/Main" / f"{split}.txt").write_text("\n".join(names) + "\n")
        for name, objects in zip(names, photographs):
            pixels = np.random.default_rng(number).integers(0, 40, (40, 60, 3)).astype(np.uint8)
            texts = []
            for kind, (left, top, right, bottom), difficult in objects:
                pixels[top:bottom, left:right] += np.uint8(60 + 7 * (len(kind) % 20))
                corners = f"<xmin>{left + 1}</xmin><ymin>{top + 1}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax>"
                texts.append(
                    f"<object><name>{kind.replace(' ', '')}</name><difficult>{int(difficult)}</difficult>"
                    f"<bndbox>{corners}</bndbox></object>"
                )
            Image.fromarray(pixels).save(folder / "JPEGImages" / f"{name}.jpg", quality=95)
            (folder / "Annotations" / f"{name}.xml").write_text(f"<annotation>{''.join(texts)}</annotation>")
            number += 1
