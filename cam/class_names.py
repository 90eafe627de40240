"""Writes ImageNet's class names from torchvision's metadata: `python -m cam.class_names`."""

import json

from torchvision.models import ResNet18_Weights

from cam.classifiers import CLASS_NAMES
from core.files import write_atomically


def main() -> None:
    names = ResNet18_Weights.IMAGENET1K_V1.meta["categories"]
    with write_atomically(CLASS_NAMES) as path:
        path.write_text(json.dumps(names, indent=0, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
