"""A data set in Tiny ImageNet's layout with six classes, for tests."""

import numpy as np
from PIL import Image

from fcn import tiny_imagenet

WNIDS = ["n03", "n01", "n02", "n06", "n05", "n04"]  # not in the alphabet's order
OF_EACH = {"train": 45, "val": 1}


def write_tiny_imagenet(folder, monkeypatch):
    """Noise around a brightness of its own for each class; each tenth photograph is grey.

    The reader is told to expect so many photographs.
    """
    monkeypatch.setattr(tiny_imagenet, "CLASSES", len(WNIDS))
    monkeypatch.setattr(tiny_imagenet, "OF_EACH", OF_EACH)
    generator = np.random.default_rng(0)
    (folder / "val" / "images").mkdir(parents=True)
    rows = []
    for place, wnid in enumerate(WNIDS):
        (folder / "train" / wnid / "images").mkdir(parents=True)
        for number in range(OF_EACH["train"]):
            _write(folder / "train" / wnid / "images" / f"{wnid}_{number}.JPEG", place, number % 10 == 0, generator)
        name = f"val_{5 - place}.JPEG"
        _write(folder / "val" / "images" / name, place, False, generator)
        rows.append(f"{name}\t{wnid}\t0\t32\t44\t62\n")
    (folder / "val" / "val_annotations.txt").write_text("".join(rows))
    (folder / "wnids.txt").write_text("\n".join(WNIDS))
    names = ["entity", "reel", "lemon", "Egyptian cat, Mau", "espresso", "cliff", "plunger"]
    (folder / "words.txt").write_text("".join(f"n{place:02}\t{name}\n" for place, name in enumerate(names)))
    return folder


def _write(path, place, grey, generator):
    pixels = generator.integers(30 * place, 30 * place + 90, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels[..., 0] if grey else pixels).save(path, "JPEG")
