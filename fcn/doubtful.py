"""Label maps of CMP Facade that a look at the photograph contradicts, and scores without them."""

import json
from collections.abc import Sequence

from core.files import ROOT
from fcn.dataset import LabelledPhotographs
from fcn.metrics import ConfusionMatrix

LIST = ROOT / "files" / "cmp_doubtful_labels.json"


def doubtful_labels() -> dict[str, str]:
    """Photograph → what its label map says and the photograph doesn't show.

    Found among the test photographs on which trained networks do worst, and then looked at.
    """
    return json.loads(LIST.read_text(encoding="utf-8"))


def without_doubtful(dataset: LabelledPhotographs, matrices: Sequence[ConfusionMatrix]) -> ConfusionMatrix | None:
    """The confusion matrix of a split without those photographs; None if it holds none of them.

    Args:
        matrices: one for each image of the split, in order.
    """
    names = doubtful_labels()
    kept = [matrix for index, matrix in enumerate(matrices) if dataset.name(index) not in names]
    return sum(kept[1:], start=kept[0]) if 0 < len(kept) < len(matrices) else None
