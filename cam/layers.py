"""Finding a layer in a network, and where the cells of its feature map lie in the image."""

from torch import nn

from core.errors import unknown_name
from fcn.geometry import Grid, follow_to


def find_layer(model: nn.Module, layer: nn.Module | str) -> nn.Module:
    """The module of `model` that `layer` is or names ("layer4", "features.28").

    Raises:
        CourseError: there is none; the message names the nearest convolutional one.
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
    raise unknown_name("layer", named, layers)


def layer_grid(model: nn.Module, layer: nn.Module | str) -> Grid:
    """Where the cells of a layer's output lie in the network's input.

    Raises:
        CourseError: no such layer, or `fcn.geometry` doesn't know one that comes before it.
    """
    return follow_to(model, find_layer(model, layer))
