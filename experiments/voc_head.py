"""VOC's classes on the features of an ImageNet network: a linear head on photographs, and how well it names them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from torch import Tensor, nn
from tqdm.auto import tqdm

from cam.efficientnet import EfficientNetLite0, SecondHalf
from cam.view import whole
from core.errors import CourseError
from core.photographs import read_photograph
from fcn.voc import VOC_CLASSES, VOCObject

CLASSES = VOC_CLASSES[1:]  # without the background
LONGER = 321  # pixels of a photograph's longer side, as networks see it
Boxed = tuple[Path, list[VOCObject]]
UNSURE = -1


@dataclass(frozen=True)
class Head:
    """A linear layer for VOC's classes, and how it was chosen.

    Attributes:
        linear: (20, channels).
        held_out: places of the photographs that it has not learned from.
        strength: of the regularisation, scikit-learn's C, chosen on those.
        mean_average_precision: with it, on those.
    """

    linear: nn.Linear
    held_out: np.ndarray
    strength: float
    mean_average_precision: float


def presence(photographs: Sequence[Boxed]) -> np.ndarray:
    """(N, 20): 1 where an object of the class is in the photograph, 0 where none is, UNSURE where VOC calls all that
    are there too difficult to count."""
    table = np.zeros((len(photographs), len(CLASSES)), np.int64)
    for row, (_, objects) in zip(table, photographs):
        row[[one.label - 1 for one in objects]] = UNSURE
        row[[one.label - 1 for one in objects if not one.difficult]] = 1
    return table


@torch.no_grad()
def halfway_features(model: EfficientNetLite0, photographs: Sequence[Boxed]) -> list[Tensor]:
    """Of each whole photograph, the output of `blocks.4`, (1, 112, h, w), in half precision: 80 kB each."""
    seen = (whole(read_photograph(path), LONGER) for path, _ in photographs)
    return [model.halfway(x).half() for x in tqdm(seen, total=len(photographs), desc="features")]


@torch.no_grad()
def pooled_features(rest: SecondHalf, halfway: Sequence[Tensor]) -> np.ndarray:
    """(N, 1280) float32: the last features, averaged over their cells."""
    return torch.cat([rest(features.float())[1].mean(dim=(2, 3)) for features in halfway]).numpy()


def fit_head(features: np.ndarray, present: np.ndarray, seed: int) -> Head:
    """Fits one logistic regression a class on four fifths of the photographs; the fifth one chooses how strongly they
    are regularised.

    Args:
        features: (N, channels).
        present: from `presence`.
        seed: draws the fifth.
    """
    order = np.random.default_rng(seed).permutation(len(features))
    held_out, learned = np.split(order, [len(order) // 5])
    best = None
    for strength in (1e-3, 1e-2, 1e-1, 1.0):
        linear = _regressions(features[learned], present[learned], strength)
        logits = linear(torch.from_numpy(features[held_out])).detach().numpy()
        precisions = average_precisions(logits, present[held_out])
        found = Head(linear, held_out, strength, float(np.mean(list(precisions.values()))))
        if best is None or found.mean_average_precision > best.mean_average_precision:
            best = found
    return best


def _regressions(features: np.ndarray, present: np.ndarray, strength: float) -> nn.Linear:
    linear = nn.Linear(features.shape[1], len(CLASSES)).requires_grad_(False)
    for label, column in enumerate(present.T):
        sure = column != UNSURE
        if not (column == 1).any():
            raise CourseError(
                f"No photograph to learn from shows the class {CLASSES[label]}; give the whole training list."
            )
        fitted = LogisticRegression(C=strength, max_iter=1000).fit(features[sure], column[sure])
        linear.weight[label] = torch.from_numpy(fitted.coef_[0])
        linear.bias[label] = float(fitted.intercept_[0])
    return linear


def average_precisions(logits: np.ndarray, present: np.ndarray) -> dict[str, float]:
    """By class, the area under the precision-recall curve over the photographs in which it is or isn't for sure."""
    return {
        name: float(average_precision_score(column[column != UNSURE], scores[column != UNSURE]))
        for name, scores, column in zip(CLASSES, logits.T, present.T)
        if (column == 1).any()
    }
