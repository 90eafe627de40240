"""Class activation maps of networks that end in global average pooling and one linear layer.

The logit of class c is the mean over all cells of `sum_k w[c, k] * features[k]`, plus a bias. Left unsummed over
the cells, that expression is the map: what each cell adds to the logit.

Source: Zhou, Khosla, Lapedriza, Oliva and Torralba, "Learning Deep Features for Discriminative Localization",
CVPR 2016, section 2.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from core.errors import CourseError

ClassIndex = int | Sequence[int] | Sequence[Sequence[int]] | Tensor


def class_activation_map(features: Tensor, fc_weight: Tensor, class_index: ClassIndex) -> Tensor:
    """Class activation maps, unscaled: the mean of a map plus the class's bias is the logit.

    Args:
        features: (N, C, h, w), what goes into global average pooling; or (C, h, w) for a single image.
        fc_weight: (num_classes, C), the weight of the linear layer.
        class_index: one class for all images; or N of them, one for each; or (N, K), several for each. For a
            single image, one class or K of them.

    Returns:
        (N, h, w), or (N, K, h, w) for several classes each; a single image's maps come without the N. Half-precision
        features give float32 maps.

    Raises:
        CourseError: shapes that do not fit, a class that does not exist, a number of classes other than N.
    """
    if features.ndim == 3:
        return class_activation_map(features[None], fc_weight, _as_tensor(class_index)[None])[0]
    if features.ndim != 4 or fc_weight.ndim != 2 or features.shape[1] != fc_weight.shape[1]:
        raise CourseError(
            f"Features of shape {tuple(features.shape)} and a weight of shape "
            f"{tuple(fc_weight.shape)} do not fit; give (N, C, h, w) and (num_classes, C)."
        )
    classes = check_classes(class_index, len(features), len(fc_weight)).to(fc_weight.device)
    features, weight = at_least_float32(features), at_least_float32(fc_weight[classes])
    precision = torch.promote_types(features.dtype, weight.dtype)
    return torch.einsum("nchw,n...c->n...hw", features.to(precision), weight.to(precision))


def at_least_float32(values: Tensor) -> Tensor:
    """Half-precision values as float32, in which sums over hundreds of channels keep their digits."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def check_classes(class_index: ClassIndex, count: int, num_classes: int) -> Tensor:
    """The classes asked for as an integer tensor, (count,) or (count, K).

    Raises:
        CourseError: an index outside 0..num_classes-1, one that is no integer, or not `count` of them.
    """
    classes = _as_tensor(class_index)
    if classes.ndim == 0:
        classes = classes.expand(count)
    if classes.ndim > 2 or len(classes) != count:
        raise CourseError(
            f"Class indices of shape {tuple(classes.shape)} do not fit a batch of {count}; "
            "give one for all, or one for each image."
        )
    wrong = classes[(classes < 0) | (classes >= num_classes)]
    if len(wrong):
        raise CourseError(f"There is no class {wrong[0].item()}; the network knows 0 to {num_classes - 1}.")
    return classes.long()


def _as_tensor(class_index: ClassIndex) -> Tensor:
    """An integer tensor of class indices; raises CourseError if they are something else."""
    try:
        classes = torch.as_tensor(class_index)
    except (TypeError, ValueError, RuntimeError):
        classes = None
    if classes is None or classes.is_floating_point() or classes.is_complex() or classes.dtype == torch.bool:
        raise CourseError(f"A class index is an integer, not {class_index!r}; give its place in the list of classes.")
    return classes


def top_prediction(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The most probable class of each image and its softmax probability.

    Args:
        logits: (N, num_classes).

    Returns:
        (N,) int64 classes and (N,) probabilities in 0..1.

    Raises:
        CourseError: a logit is not a number.
    """
    check_finite(logits)
    probability, classes = logits.softmax(dim=1).max(dim=1)
    return classes, probability


def check_finite(logits: Tensor) -> None:
    """Raises CourseError if the network's output holds NaN or infinity."""
    if not torch.isfinite(logits).all():
        raise CourseError(
            "The network's output is not a number (NaN or infinite); "
            "check its weights and that the input is normalised."
        )
