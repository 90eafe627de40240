"""Grad-CAM: class activation maps of any convolutional layer of any network.

The weight of each channel is the class score's gradient averaged over the cells; the map is the weighted sum of
the channels, and a ReLU keeps what speaks for the class.

Source: Selvaraju, Cogswell, Das, Vedantam, Parikh and Batra, "Grad-CAM: Visual Explanations from Deep Networks
via Gradient-based Localization", ICCV 2017, section 3, equations 1 and 2.
"""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from cam.cam import ClassIndex, at_least_float32, check_classes, check_finite
from cam.layers import find_layer
from core.errors import CourseError


def grad_cam(
    model: nn.Module, x: Tensor, class_index: ClassIndex, layer: nn.Module | str, relu: bool = False
) -> Tensor:
    """Grad-CAM maps, unscaled. At the last stage of a network with global average pooling and a linear head they
    are the class activation map divided by the number of cells.

    The network is run in eval mode, since that is the network whose predictions are to be explained. Afterwards
    it is as it was: training flags, `requires_grad`, `.grad` and hooks. The backward pass goes no further down
    than `layer`, and below it no graph is kept.

    Args:
        model: returns logits (N, num_classes), or a tuple or list whose first item they are.
        x: (N, C, H, W), what the model takes.
        class_index: one class for all images; or (N,) of them; or (N, K), several for each, which take one forward
            pass and K backward ones.
        layer: a module of the model or its dotted name, such as "layer4"; where the model calls it several
            times, the last call counts.
        relu: clip negative values, as the paper does. Left out by default, so that the map keeps its meaning as
            a share of the score; displays and scores clip it themselves.

    Returns:
        (N, h, w), or (N, K, h, w) for several classes each; detached, at the layer's own resolution.

    Raises:
        CourseError: gradients are switched off, no such layer, a layer that is not used or has no (N, C, h, w)
            output (a Swin transformer's channels come last), a class that does not exist, a number of classes other
            than N, logits that are not numbers.
    """
    if not torch.is_grad_enabled():
        raise CourseError(
            "Grad-CAM needs gradients, and they are switched off here; "
            "call it outside torch.no_grad() and torch.inference_mode()."
        )
    if not isinstance(layer, nn.Module | str):
        raise CourseError(f"A layer is a module or its name, not {layer!r}; ask for one layer's maps at a time.")
    module = find_layer(model, layer)
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: tuple, output: Tensor) -> Tensor:
        """Cuts the graph at the layer's output and starts it anew from there."""
        if not isinstance(output, Tensor) or output.ndim != 4:
            raise CourseError(f"Layer {layer} gives no (N, C, h, w) map; choose a convolutional one.")
        if _channels_are_last(_module, output):
            raise CourseError(f"Layer {layer} gives (N, h, w, C), channels last; choose one that gives (N, C, h, w).")
        torch.set_grad_enabled(True)
        kept[:] = [output.detach().requires_grad_()]
        return kept[0].clone()  # so that operations in place further up change a copy

    with _in_eval_mode(model), torch.no_grad():
        handle = module.register_forward_hook(keep)
        try:
            output = model(x)
        finally:
            handle.remove()
        if not kept:
            raise CourseError(f"Layer {layer} was not used in the forward pass; choose one that is.")
        logits = logits_of(output)
        classes = check_classes(class_index, len(x), logits.shape[1]).to(logits.device)
        check_finite(logits)
        if not logits.requires_grad:
            raise CourseError(f"The class score does not depend on layer {layer} through gradients; choose another.")
        scores = logits.gather(1, classes.view(len(x), -1)).sum(0)  # images don't mix: each gradient is its own image's
        weights = [torch.autograd.grad(score, kept[0], retain_graph=True)[0].mean(dim=(2, 3)) for score in scores]
        features = kept[0].detach()
    maps = torch.einsum("nchw,knc->nkhw", at_least_float32(features), at_least_float32(torch.stack(weights)))
    maps = maps if classes.ndim == 2 else maps[:, 0]
    return maps.relu() if relu else maps


def _channels_are_last(module: nn.Module, output: Tensor) -> bool:
    """Whether a layer is one of a transformer (Swin) that keeps its channels last: its LayerNorm over the channels
    normalises over the last axis."""
    normalised = {part.normalized_shape for part in module.modules() if isinstance(part, nn.LayerNorm)}
    return (output.shape[-1],) in normalised and (output.shape[1],) not in normalised


def logits_of(output: Tensor | tuple | list) -> Tensor:
    """The logits (N, num_classes) in what a network returns: alone, or the first of several.

    Raises:
        CourseError: there are none.
    """
    logits = output[0] if isinstance(output, tuple | list) else output
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        raise CourseError("Grad-CAM needs a network that returns logits (N, num_classes), alone or first in a tuple.")
    return logits


@contextlib.contextmanager
def _in_eval_mode(model: nn.Module) -> Iterator[None]:
    training = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, flag in training.items():
            module.training = flag
