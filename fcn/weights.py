"""Weights of whole classifiers, from which trunks start: ImageNet's, or the course's small stand-ins.

Both come as torchvision lays them out, linear layers included, so that the transplant is the same exercise.
"""

from pathlib import Path

from torch import Tensor

from core.checkpoint import read_state
from core.errors import CourseError, check_name
from core.files import ROOT
from fcn.backbones import BACKBONES
from fcn.models import FCN

# Of the course's weights, trained on Tiny ImageNet's photographs; files/README.md says how.
COURSE_WIDTH = 0.125
SOURCES = ("imagenet", "course")


def classifier_weights(source: str, backbone: str = "vgg16", width: float = 1.0) -> dict[str, Tensor]:
    """The state dict of a classifier, in torchvision's names and shapes, float32.

    Args:
        source: "imagenet" (torchvision's, fetched once, its hash checked, cached; EfficientNet-Lite0's come with a
            package) or "course" (in files/, trained on Tiny ImageNet's photographs at width 0.125).

    Raises:
        CourseError: an unknown source, a width it doesn't come in, or weights that can't be fetched or read.
    """
    check_name("backbone", backbone, BACKBONES)
    check_name("kind of weights", source, SOURCES)
    check_source(source, backbone, width)
    if source == "imagenet":
        return BACKBONES[backbone].imagenet()
    state = read_state(course_file(backbone))
    return {key: value.float() for key, value in state.items()}


def check_source(source: str, backbone: str, width: float) -> None:
    """Raises CourseError if a source has no weights of this backbone, or of this width."""
    if source == "course" and not BACKBONES[backbone].course_weights:
        raise CourseError(f'The course has no small weights of {backbone}; use "imagenet", which needs no network.')
    if width != {"imagenet": 1.0, "course": COURSE_WIDTH}.get(source, width):
        raise CourseError(
            f'There are no "{source}" weights of width {width}; use width 1.0 with "imagenet", '
            f'{COURSE_WIDTH} with "course".'
        )


def start_from(model: FCN, source: str) -> FCN:
    """The network with a classifier's weights in its trunk; its score layers stay as they are.

    Raises:
        CourseError: as `classifier_weights`.
    """
    trunk = model.trunk
    weights = classifier_weights(source, trunk.name, trunk.width)
    trunk.load_classifier(weights, source == "imagenet" and BACKBONES[trunk.name].transform_input)
    return model


def course_file(backbone: str) -> Path:
    """Where the course's small weights of a backbone are kept."""
    return ROOT / "files" / f"{backbone}_small.safetensors"
