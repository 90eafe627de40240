"""Checks of how a network is run: its mode, its input, and what hooks see of it."""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from course.checks.expectations import expect


def check_features(features_of: Callable[[nn.Module, str, Tensor], Tensor], model: nn.Module, images: Tensor) -> None:
    """Holds a student's function for a layer's output against the network's last features, and its first convolution.

    Args:
        features_of: network, name of a layer, images → that layer's output.
        model: gives logits and the features of the layer that `last_layer` names.
        images: (N, 3, H, W).
    """
    hooks = _hooks(model)
    features = features_of(model, model.last_layer, images)
    expect(isinstance(features, Tensor), f"features_of gives a {type(features).__name__}; it should give a tensor.")
    with torch.no_grad():
        _, expected = model(images)
    expect(
        features.shape == expected.shape,
        f"The features of {model.last_layer} are {tuple(features.shape)}; they should be {tuple(expected.shape)}.",
    )
    expect(torch.allclose(features, expected, atol=1e-4), f"These are not the features of {model.last_layer}.")
    expect(not features.requires_grad, "The features carry a gradient; run the network under torch.no_grad().")
    first = next(name for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d))
    found = features_of(model, first, images)
    expect(_hooks(model) == hooks, "A hook is left in the network: call the handle's remove() at the end.")
    layer, inputs = model.get_submodule(first), []
    handle = layer.register_forward_pre_hook(lambda layer, given: inputs.append(given[0]))
    with torch.no_grad():
        model(images)
        expected = layer(inputs[0])
    handle.remove()
    right = found.shape == expected.shape and torch.allclose(found, expected, atol=1e-4)
    expect(right, f"These are not the features of {first}; take the output of the layer with that name.")


def _hooks(model: nn.Module) -> int:
    return sum(len(layer._forward_hooks) for layer in model.modules())


def check_mended(
    mended: Callable[[nn.Module, np.ndarray], np.ndarray],
    model: nn.Module,
    images: np.ndarray,
) -> None:
    """Holds a student's way to score grids against the right one, and says which of the two mistakes is left.

    Args:
        mended: network, images (N, H, W) of 0..1 → classes (N, H, W).
        model: in eval mode; it must stay as it is.
        images: grids of digits.
    """
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = mended(model, images)
    expect(
        all(torch.equal(value, before[name]) for name, value in model.state_dict().items()),
        "The network's running statistics have changed: train mode changes them with every grid.",
    )
    expect(not model.training, "The network is left in train mode; leave it as it was.")
    expect(found.shape == images.shape, f"The predictions are {found.shape}; they should be {images.shape}.")
    for factor in (1, 255):  # nearly the same: batch normalisation divides by what the factor multiplies
        expect(
            (found != _predict(model, factor * images, train=True)).any(),
            "Batch normalisation uses the one grid's statistics; which mode is the network in?",
        )
    expect(
        (found != _predict(model, 255 * images, train=False)).any(),
        "The input is 255 times too large; what were the pixels in training?",
    )
    expect((found == _predict(model, images, train=False)).all(), "The predictions are not the network's.")


def _predict(model: nn.Module, images: np.ndarray, train: bool) -> np.ndarray:
    """Classes grid by grid, (N, H, W); the network stays as it is."""
    model = copy.deepcopy(model).train(train)
    grids = torch.from_numpy(images)[:, None].to(next(model.parameters()).device)
    with torch.no_grad():
        return torch.cat([model(grid[None]).argmax(dim=1).cpu() for grid in grids]).numpy()
