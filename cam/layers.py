"""Finding a layer in a network, and where the cells of its feature map lie in the image."""

import difflib

from torch import nn

from core.errors import CourseError
from fcn.geometry import Grid, follow

SHORTCUTS = {"downsample", "shortcut"}  # what residual networks call the path beside the main one


def find_layer(model: nn.Module, layer: nn.Module | str) -> nn.Module:
    """The module of `model` that `layer` is or names ("layer4", "features.28").

    Raises:
        CourseError: there is none; the message lists the convolutional ones.
    """
    modules = dict(model.named_modules())
    if isinstance(layer, nn.Module):
        if any(layer is module for module in modules.values()):
            return layer
    elif layer in modules:
        return modules[layer]
    named = layer if isinstance(layer, str) else type(layer).__name__
    layers = [
        name
        for name, module in modules.items()
        if name and any(isinstance(part, nn.Conv2d) for part in module.modules())
    ]
    nearest = difflib.get_close_matches(named, layers, n=1)
    hint = f"did you mean {nearest[0]}? " if nearest else ""
    raise CourseError(f"The network has no layer {named}; {hint}It has {', '.join(layers)}.")


def layer_grid(model: nn.Module, layer: nn.Module | str) -> Grid:
    """Where the cells of a layer's output lie in the network's input, by receptive-field arithmetic.

    Follows the convolutions and poolings in the order in which the network defines them, up to the end of
    `layer`. That is the order of execution in sequential and residual networks; of a residual block it follows
    the main path, with which the shortcut agrees. The branches of an Inception block keep the cells in place,
    so start and step hold there too, though not the receptive field.

    Raises:
        CourseError: no such layer.
    """
    target = find_layer(model, layer)
    inside = set(target.modules())
    path, last = [], 0
    for name, module in model.named_modules():
        if not SHORTCUTS & set(name.split(".")):
            path.append(module)
        if module in inside:
            last = len(path)
    return follow(module for module in path[:last] if not list(module.children()))
