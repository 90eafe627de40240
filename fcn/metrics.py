"""One confusion matrix, and every score from it."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


class ConfusionMatrix:
    """Counts of (true class, predicted class) over pixels, and the four scores of the FCN paper.

    With n_ij the pixels of class i predicted as j, t_i = sum_j n_ij and c classes, the paper's section 5 defines
    pixel accuracy sum n_ii / sum t_i, mean accuracy (1/c) sum n_ii / t_i, mean IoU
    (1/c) sum n_ii / (t_i + sum_j n_ji - n_ii) and its frequency-weighted form. A class that occurs neither in the
    targets nor in the predictions has no IoU (NaN), and the means leave it out.

    Counts are int64 and stay on the device of the updates; scores are computed on the CPU, as not every device has
    float64. Apple's GPUs (MPS) haven't, nor do all of them count in int64, so what they predict is counted on the CPU.
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self.counts = torch.zeros(num_classes, num_classes, dtype=torch.int64)

    def update(self, pred: Tensor, target: Tensor) -> None:
        """Adds predictions to the counts.

        Args:
            pred: predicted classes, any shape, integers in 0..num_classes-1.
            target: true classes, the same shape; a value outside 0..num_classes-1 is void and not counted.

        Raises:
            ValueError: the shapes differ, either isn't of integers, or a counted prediction is not a class.
        """
        if pred.shape != target.shape:
            raise ValueError(
                f"predictions are {tuple(pred.shape)} but targets {tuple(target.shape)}; "
                "take the argmax over the class axis first"
            )
        for name, classes in (("predictions", pred), ("targets", target)):
            if classes.is_floating_point() or classes.is_complex():
                raise ValueError(
                    f"{name} are {classes.dtype}, not integers; take the argmax of scores, and labels before scaling"
                )
        if pred.device.type == "mps":
            pred, target = pred.cpu(), target.cpu()
        counted = (target >= 0) & (target < self.num_classes)
        pred, target = pred[counted].long(), target[counted].long()
        if pred.numel() and not 0 <= int(pred.min()) <= int(pred.max()) < self.num_classes:
            raise ValueError(f"a prediction is outside 0..{self.num_classes - 1}")
        pairs = torch.bincount(target * self.num_classes + pred, minlength=self.num_classes**2)
        self.counts = self.counts.to(pairs.device) + pairs.view(self.num_classes, self.num_classes)

    def __add__(self, other: "ConfusionMatrix") -> "ConfusionMatrix":
        """The matrix of both together, in whose scores every pixel counts alike."""
        joint = ConfusionMatrix(self.num_classes)
        joint.counts = self.counts.to(other.counts.device) + other.counts
        return joint

    def __sub__(self, other: "ConfusionMatrix") -> "ConfusionMatrix":
        """The matrix of the pixels that are left without the other's, all of which must be among this one's."""
        rest = ConfusionMatrix(self.num_classes)
        rest.counts = self.counts.to(other.counts.device) - other.counts
        return rest

    def pixel_accuracy(self) -> float:
        """Share of the counted pixels that are right, 0..1; NaN if none was counted."""
        return (self._hits().sum() / self._targets().sum()).item()

    def mean_accuracy(self) -> float:
        """Mean over the classes of the share of their pixels found, 0..1; NaN if none was counted.

        A class that is predicted but doesn't occur in the targets has no such share and is left out, so mean accuracy
        doesn't see it; mean IoU counts it as 0.
        """
        return (self._hits() / self._targets()).nanmean().item()

    def iou_per_class(self) -> list[float]:
        """Intersection over union of each class, 0..1; NaN where a class occurs nowhere."""
        return (self._hits() / self._unions()).tolist()

    def mean_iou(self) -> float:
        """Mean of the classes' intersections over union, 0..1."""
        return (self._hits() / self._unions()).nanmean().item()

    def frequency_weighted_iou(self) -> float:
        """The classes' intersections over union weighted by their share of the target pixels, 0..1."""
        targets = self._targets()
        weighted = targets * self._hits() / self._unions()
        return (weighted.nansum() / targets.sum()).item()

    def figures(self) -> dict[str, float | None | list[float | None]]:
        """All scores by name; what can't be computed (no pixel counted, no such class) is None, as JSON has no NaN."""
        scores = {
            "pixel_accuracy": self.pixel_accuracy(),
            "mean_accuracy": self.mean_accuracy(),
            "mean_iou": self.mean_iou(),
            "frequency_weighted_iou": self.frequency_weighted_iou(),
        }
        return {
            **{name: _or_none(score) for name, score in scores.items()},
            "iou_per_class": [_or_none(iou) for iou in self.iou_per_class()],
        }

    def _hits(self) -> Tensor:
        return self.counts.cpu().diagonal().double()

    def _targets(self) -> Tensor:
        return self.counts.cpu().sum(dim=1).double()

    def _unions(self) -> Tensor:
        return self._targets() + self.counts.cpu().sum(dim=0) - self._hits()


def _or_none(score: float) -> float | None:
    return None if math.isnan(score) else score


def weighted_iou_bound(pixel_accuracy: float) -> float:
    """The least frequency-weighted IoU that any one confusion matrix of this pixel accuracy can have (both 0..1).

    Let class i have the share t_i of the pixels, h_i of them hit, and let f_i be the share of other classes' pixels
    claimed for it. Its part is t_i h_i / (t_i + f_i), which is at least h_i² / (h_i + f_i), as t_i >= h_i. The
    h_i + f_i are all predictions and add up to 1, the h_i add up to the accuracy a; so by Cauchy and Schwarz the sum
    of the parts is at least a². A network that says one class everywhere attains it. A table that breaks this was not
    computed from one confusion matrix.
    """
    return pixel_accuracy**2


def boundary_band(target: Tensor, radius: int) -> Tensor:
    """The pixels that have another class within `radius` pixels of them (a square neighbourhood).

    Scoring this band apart from the interior tells outlines from regions: Kohli, Ladicky and Torr, "Robust Higher
    Order Potentials for Enforcing Label Consistency" (IJCV 2009), section 6.

    Args:
        target: (N, H, W) integer labels.
        radius: pixels, at least 1.

    Returns:
        (N, H, W) bool.
    """
    label = target[:, None].float()
    size = 2 * radius + 1
    highest = F.max_pool2d(label, size, stride=1, padding=radius)
    lowest = -F.max_pool2d(-label, size, stride=1, padding=radius)
    return (highest != lowest)[:, 0]
