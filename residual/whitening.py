"""A first layer that needs no training: it whitens the pictures' 3 × 3 patches."""

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALLEST = 5e-4  # added to the patches' variances, so that directions of mere noise are not blown up


@torch.no_grad()
def whiten(convolution: nn.Conv2d, images: Tensor) -> None:
    """Sets a convolution's weight to the patches' principal directions, each scaled to unit variance, and fixes it.

    Half of the filters are directions, by falling variance; the other half their negatives, since a ReLU drops what is
    negative (after Page, "ResNet on CIFAR-10", 2018, and Jordan, "94% on CIFAR-10 in 3.29 seconds", 2024).

    Args:
        convolution: with an even number of filters, at most twice the numbers of a patch.
        images: (N, C, H, W), normalised; some hundred are enough.
    """
    half = convolution.out_channels // 2
    patches = functional.unfold(images, convolution.kernel_size).transpose(1, 2).flatten(0, 1)  # (places, numbers)
    variances, directions = torch.linalg.eigh(patches.T.cov())  # ascending
    scaled = (directions / (variances + SMALLEST).sqrt()).T.flip(0)[:half]
    convolution.weight.copy_(torch.cat([scaled, -scaled]).view_as(convolution.weight))
    convolution.weight.requires_grad_(False)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
        convolution.bias.requires_grad_(False)
