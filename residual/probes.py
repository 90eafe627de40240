"""Reads gradients and signals off a network without changing anything: weights, statistics, mode, or what is drawn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.training import in_mode
from residual.networks import main_convolutions


def weight_gradients(model: nn.Module, x: Tensor, labels: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
    """The gradient of the batch's mean cross-entropy, as a training step would see it, for some parameters.

    BatchNorm uses the batch's statistics, as in training, but its running ones stay as they are; so do `.grad`, the
    model's mode and the random generators.

    Args:
        x: (N, 3, H, W) normalised pictures.
        labels: (N,) int64.
        names: of parameters, such as "blocks.0.conv1.weight".
    """
    parameters = dict(model.named_parameters())
    chosen = [parameters[name] for name in names]
    with in_mode(model, training=True), torch.enable_grad():
        loss = F.cross_entropy(_call(model, x), labels)
        return dict(zip(names, torch.autograd.grad(loss, chosen)))


def gradient_norms(model: nn.Module, x: Tensor, labels: Tensor) -> dict[str, float]:
    """The Frobenius norm of the weight gradient of each 3 × 3 convolution, from the input to the output."""
    names = [f"{name}.weight" for name in main_convolutions(model)]
    gradients = weight_gradients(model, x, labels, names)
    # In double precision, as the squares of tiny gradients are 0 in single.
    return {name.removesuffix(".weight"): gradient.double().norm().item() for name, gradient in gradients.items()}


def signals(model: nn.Module, x: Tensor, labels: Tensor) -> dict[str, tuple[float, float]]:
    """What each block passes on: the root mean square of its output, and the norm of the loss's gradient there.

    Returns:
        By the block's name, from the input to the output: (forward, backward).
    """
    outputs: dict[str, Tensor] = {}
    hooks = [
        block.register_forward_hook(lambda _module, _given, output, name=name: outputs.update({name: output}))
        for name, block in model.blocks.named_children()
    ]
    try:
        with in_mode(model, training=True), torch.enable_grad():
            loss = F.cross_entropy(_call(model, x), labels)
            gradients = torch.autograd.grad(loss, list(outputs.values()))
    finally:
        for hook in hooks:
            hook.remove()
    return {
        f"blocks.{name}": (output.square().mean().sqrt().item(), gradient.norm().item())
        for (name, output), gradient in zip(outputs.items(), gradients)
    }


@dataclass(frozen=True)
class Noise:
    """How one tensor's gradient differs from minibatch to minibatch, the weights being the same.

    Attributes:
        norm: of the mean over the minibatches.
        spread: root mean square distance of a minibatch's gradient from that mean (unbiased).
    """

    norm: float
    spread: float

    @property
    def relative(self) -> float:
        """The spread as a multiple of the mean's norm: 0 if all minibatches agree; at most √minibatches."""
        return self.spread / self.norm


def noise(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], names: Sequence[str]) -> dict[str, Noise]:
    """Measures the noise of parameters' gradients over at least two minibatches of equal size.

    Args:
        batches: pictures and labels, as for `weight_gradients`.
        names: of the parameters.
    """
    read = [weight_gradients(model, x, labels, names) for x, labels in batches]
    found = {}
    for name in names:
        gradients = torch.stack([gradient[name].flatten() for gradient in read]).double()
        found[name] = Noise(gradients.mean(dim=0).norm().item(), gradients.var(dim=0).sum().sqrt().item())
    return found


def _call(model: nn.Module, x: Tensor) -> Tensor:
    """The model's output; what it would write into its buffers goes into copies."""
    copies = {name: buffer.clone() for name, buffer in model.named_buffers()}
    return torch.func.functional_call(model, copies, (x,))
