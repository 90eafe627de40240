"""A network, the names of its classes, and the map of one photograph."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cam.cam import class_activation_map, top_prediction
from cam.efficientnet import pretrained_lite0
from cam.gradcam import grad_cam
from cam.layers import layer_grid
from cam.overlay import map_on_photograph, scale_to_unit
from cam.pictures import PATTERNS
from cam.resnet import resnet18
from cam.view import centre_view, look
from core.errors import CourseError, unknown_name
from core.files import ROOT

CLASS_NAMES = ROOT / "files" / "imagenet_classes.json"
SMALL_WIDTH = 0.25


@dataclass(frozen=True)
class Classifier:
    """A network in eval mode, its classes' names in order, and a sentence on where its weights come from."""

    model: nn.Module
    classes: Sequence[str]
    source: str


@dataclass(frozen=True)
class Explanation:
    """The class that a network sees in a photograph, and where.

    Attributes:
        name: the class explained.
        probability: its softmax probability, 0..1.
        heat: (H, W) in 0..1 on the photograph's pixels; NaN where the network didn't look.
    """

    name: str
    probability: float
    heat: np.ndarray


def load_classifier(weights: str | Path = "efficientnet") -> Classifier:
    """Loads a network ready to classify.

    Args:
        weights: "efficientnet" (EfficientNet-Lite0 with ImageNet's weights, which come with a package), "imagenet"
            (ResNet-18 with torchvision's, fetched once), "small" (the course's own ResNet-18, for its generated
            pictures), or a file of ResNet-18 weights for the 1000 classes of ImageNet.

    Raises:
        CourseError: the weights cannot be fetched or read.
    """
    if weights == "small":
        return load_small()
    names = json.loads(CLASS_NAMES.read_text())
    if weights == "efficientnet":
        return Classifier(pretrained_lite0(), names, "EfficientNet-Lite0, ImageNet weights of its package")
    if weights == "imagenet":
        return Classifier(resnet18("IMAGENET1K_V1").eval(), names, "ResNet-18, ImageNet weights of torchvision")
    return Classifier(resnet18(weights).eval(), names, f"ResNet-18, weights from {Path(weights).name}")


def small_weights(seed: int) -> Path:
    """Where the course's own ResNet-18, trained from this seed, is kept."""
    return ROOT / "files" / f"resnet18_small_{seed}.safetensors"


def load_small(seed: int = 0) -> Classifier:
    """Loads the course's own ResNet-18 for generated pictures (`cam.pictures`).

    Raises:
        CourseError: none was trained from this seed.
    """
    path = small_weights(seed)
    if not path.exists():
        raise CourseError(f"There is no network of seed {seed}; choose 0, 1 or 2.")
    model = resnet18(path, num_classes=len(PATTERNS), width=SMALL_WIDTH).eval()
    return Classifier(model, PATTERNS, "small course weights, trained on generated pictures")


def class_number(name: str, classes: Sequence[str]) -> int:
    """The place of a class name in the list, whatever its capitals.

    Raises:
        CourseError: there is no such class; the message suggests the nearest.
    """
    lower = [known.lower() for known in classes]
    if name.lower() in lower:
        return lower.index(name.lower())
    raise unknown_name("class", name, classes)


def explain(
    classifier: Classifier, photograph: np.ndarray, name: str | None = None, layer: str | None = None
) -> Explanation:
    """The map of a class over a photograph, aligned and scaled; computed where the network is.

    Args:
        photograph: (H, W, 3) uint8; its middle square is looked at.
        name: the class; the most probable one if None.
        layer: a layer for Grad-CAM; CAM of the last feature map if None.

    Raises:
        CourseError: no such class or layer, or a network whose output is not a number.
    """
    view = centre_view(photograph, classifier.model.side)
    x = look(photograph, view).to(next(classifier.model.parameters()).device)
    with torch.no_grad():
        logits, features = classifier.model(x)
    top, _ = top_prediction(logits)
    chosen = int(top[0]) if name is None else class_number(name, classifier.classes)
    if layer is None:
        cells = class_activation_map(features, classifier.model.fc.weight.detach(), chosen)[0]
    else:
        cells = grad_cam(classifier.model, x, chosen, layer, relu=True)[0]
    grid = layer_grid(classifier.model, layer or classifier.model.last_layer)
    heat = scale_to_unit(map_on_photograph(cells, grid, view, photograph.shape[:2]))
    return Explanation(classifier.classes[chosen], float(logits.softmax(1)[0, chosen]), heat)
