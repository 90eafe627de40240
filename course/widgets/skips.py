"""FCN-8s with its skips switched on and off."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

import torch
from ipywidgets import Checkbox
from torch import Tensor

from course.widgets.hands_on import Drawing, hands_on
from fcn.dataset import CLASSES
from fcn.evaluation import predict
from fcn.models import FCN8s
from fcn.plots import prediction_sheet


def predict_with(model: FCN8s, image: Tensor, pool4: bool, pool3: bool) -> Tensor:
    """What FCN-8s says of a normalised (3, H, W) image, (H, W), if the scores of a skip that is off count as zero."""
    with ExitStack() as stack:
        for score, is_on in ((model.score_pool4, pool4), (model.score_pool3, pool3)):
            if not is_on:
                hook = score.register_forward_hook(lambda layer, inputs, scores: torch.zeros_like(scores))
                stack.callback(hook.remove)
        return predict(model, image[None])[0].cpu()


def draw(
    model: FCN8s, image: Tensor, label: Tensor, pool4: bool, pool3: bool, classes: Sequence[str] = CLASSES
) -> Drawing:
    """An image, its label map, and the prediction and errors of FCN-8s with the skips that are on.

    Args:
        image: normalised, (3, H, W).
        label: (H, W).
    """
    on = [name for name, is_on in (("pool4", pool4), ("pool3", pool3)) if is_on]
    title = f"with {' and '.join(on)}" if on else "without skips"
    predicted = predict_with(model, image, pool4, pool3)
    right = (predicted == label).float().mean()
    figure = prediction_sheet([image], [label], {f"{title}: {right:.0%} right": [predicted]}, classes)
    return figure, f"An image, its label map, and the prediction and errors of FCN-8s {title}."


def switch_skips(model: FCN8s, image: Tensor, label: Tensor, classes: Sequence[str] = CLASSES) -> None:
    """A box to tick for each skip, beginning with both on."""
    controls = {name: Checkbox(True, description=f"skip from {name}") for name in ("pool4", "pool3")}
    hands_on(partial(draw, model, image, label, classes=classes), controls)
