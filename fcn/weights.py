"""Weights of whole classifiers, from which trunks start: ImageNet's, or the course's small stand-ins.

Both come as torchvision lays them out, linear layers included, so that the transplant is the same exercise.
"""

import http.client
from pathlib import Path

import torchvision.models
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from core.errors import CourseError
from core.files import ROOT
from fcn.models import FCN

# Trained by `python -m fcn.pretext` on drawn facades; files/README.md says how.
COURSE_WIDTH = 0.125
SOURCES = ("imagenet", "course")


def classifier_weights(source: str, backbone: str = "vgg16", width: float = 1.0) -> dict[str, Tensor]:
    """The state dict of a classifier, in torchvision's names and shapes, float32.

    Args:
        source: "imagenet" (torchvision's, fetched once, its hash checked, cached) or "course" (in files/, trained on
            drawn facades at width 0.125).

    Raises:
        CourseError: an unknown source, a width it doesn't come in, or weights that can't be fetched or read.
    """
    if source not in SOURCES:
        raise CourseError(f'Unknown weights "{source}"; choose one of {", ".join(SOURCES)}.')
    if width != {"imagenet": 1.0, "course": COURSE_WIDTH}[source]:
        raise CourseError(
            f'There are no "{source}" weights of width {width}; use width 1.0 with "imagenet", '
            f'{COURSE_WIDTH} with "course".'
        )
    if source == "imagenet":
        return _imagenet(backbone)
    return read_classifier(ROOT / "files" / f"{backbone}_small.safetensors")


def start_from(model: FCN, source: str) -> FCN:
    """The network with a classifier's weights in its trunk; its score layers stay as they are.

    Raises:
        CourseError: as `classifier_weights`.
    """
    trunk = model.trunk
    trunk.load_classifier(classifier_weights(source, trunk.name, trunk.width))
    trunk.transform_input = trunk.name == "googlenet" and source == "imagenet"
    model.configuration["transform_input"] = trunk.transform_input
    return model


def read_classifier(path: Path) -> dict[str, Tensor]:
    """A classifier's weights from a safetensors file, in float32."""
    try:
        return {key: value.float() for key, value in load_file(path).items()}
    except FileNotFoundError as error:
        raise CourseError(f"There are no weights at {path}; make them with `python -m fcn.pretext`.") from error
    except (SafetensorError, OSError) as error:
        raise CourseError(
            f"{path} is not a whole safetensors file ({error}); make it again with `python -m fcn.pretext`."
        ) from error


def _imagenet(backbone: str) -> dict[str, Tensor]:
    weights = torchvision.models.get_model_weights(backbone)["IMAGENET1K_V1"]
    try:
        return dict(weights.get_state_dict(progress=True, check_hash=True))
    except (OSError, http.client.HTTPException) as error:  # URLError and time-outs are OSErrors
        raise CourseError(
            f"ImageNet's weights can't be fetched from {weights.url} ({error}); "
            'connect to the network, or use the weights "course" with width 0.125.'
        ) from error
    except RuntimeError as error:  # torch.hub's word for a wrong hash
        raise CourseError(f"ImageNet's weights from {weights.url} arrived damaged ({error}); try again.") from error
