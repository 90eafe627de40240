"""What follows every training of a notebook: the kept epoch, the test set scored once."""

from collections.abc import Sequence

from torch import nn

from fcn.dataset import LabelledPhotographs
from fcn.trainer import best_epoch, evaluate


def score(
    model: nn.Module, history: Sequence[dict], test_set: LabelledPhotographs, precision: str
) -> dict[str, object]:
    """Scores, on the test set, the weights of the epoch that validation chose, and prints both sets' scores.

    Args:
        model: as `fit` leaves it, with the weights of its best epoch.
        history: what `fit` returned.

    Returns:
        best_epoch, and the scores by name for validation and test, as `Record.save` takes them.
    """
    best = best_epoch(history)
    scores = {
        "best_epoch": best,
        "validation": history[best - 1]["validation"],
        "test": evaluate(model, test_set, precision).figures(),
    }
    for split in ("validation", "test"):
        accuracy, mean_iou = (scores[split][name] for name in ("pixel_accuracy", "mean_iou"))
        print(f"{split} (epoch {best}): pixel accuracy {accuracy:.3f}, mean IoU {mean_iou:.3f}")
    return scores
