"""The usual ways to draw a network's first weights.

A layer of fan-in n whose weights have the variance g²/n multiplies the size of a signal by about g (times what the
activation leaves of it), and a deep network by that factor to the power of its depth.
"""

import math

from torch import nn

from core.errors import check_name

# Each fills the weight of a convolution or linear layer in place. "torch" leaves what torch has drawn: uniform with
# the variance 1/(3n), that is g = 1/√3, for weights and biases alike.
INITIALISATIONS = {
    "torch": lambda weight: None,
    "lecun": lambda weight: nn.init.normal_(weight, std=1 / math.sqrt(weight[0].numel())),  # g = 1
    "xavier": nn.init.xavier_normal_,  # Glorot and Bengio, 2010: fan-in and fan-out averaged
    "he": lambda weight: nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu"),  # He et al., 2015
    "orthogonal": nn.init.orthogonal_,  # Saxe et al., 2014
}


def initialise(model: nn.Module, name: str) -> None:
    """Draws the weights of all convolutions and linear layers anew and, except for "torch", sets biases to zero.

    Args:
        name: of INITIALISATIONS.

    Raises:
        CourseError: there is no such initialisation.
    """
    check_name("initialisation", name, INITIALISATIONS)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            INITIALISATIONS[name](layer.weight)
            if layer.bias is not None and name != "torch":
                nn.init.zeros_(layer.bias)
