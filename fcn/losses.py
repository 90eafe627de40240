"""Losses, each a mean over the targets of a batch."""

from torch import Tensor
from torch.nn import functional as F

from fcn.dataset import VOID


def pixel_loss(logits: Tensor, labels: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """Cross-entropy over the pixels that aren't void: (N, C, H, W) and (N, H, W) → a scalar."""
    total = F.cross_entropy(logits, labels, class_weights, ignore_index=VOID, reduction="sum")
    return total / count_targets(labels)


def class_loss(logits: Tensor, labels: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Cross-entropy over targets none of which is void: (N, C, …) in any precision and (N, …) → a scalar."""
    return F.cross_entropy(logits.float(), labels, label_smoothing=label_smoothing)


def count_targets(targets: Tensor) -> Tensor:
    """The number of targets that aren't void, at least 1, so that a batch of void alone has a mean."""
    return (targets != VOID).sum().clamp(min=1)
