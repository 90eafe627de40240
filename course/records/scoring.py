"""Scores of networks: after a training, and those that are recorded, for notebooks to show."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from IPython.display import Markdown
from torch import nn

from core.devices import best_device
from core.files import ROOT
from core.plotting import show, table
from core.record import SCORES
from core.spread import mean_and_spread
from course.records.comparison import recorded
from fcn.dataset import LabelledPhotographs
from fcn.evaluation import evaluate
from fcn.models import from_weights
from fcn.trainer import best_epoch

SHEET = ROOT / "files" / "figures" / "cmp_sheet.png"  # made by `course sheet`; files/README.md has the command
# A network's title → its records, one a seed. All are of CMP Facade's photographs at half size.
PHOTOGRAPHS = {
    "FCN-32s, from scratch": "photographs_seed*/02_fcn32s_scratch.json",
    "FCN-8s, from scratch": "cmp_windows/FCN8s_none_seed*.json",
    "FCN-32s, ImageNet's weights": "photographs_seed*/03_fcn32s_pretrained.json",
    "FCN-16s, ImageNet's weights": "cmp_windows/FCN16s_imagenet_seed*.json",
    "FCN-8s, ImageNet's weights": "photographs_seed*/04_fcn8s.json",
    "FCN-8s, ImageNet's weights, longer": "cmp_windows/FCN8s_imagenet_seed*.json",
    "FCN-8s, ImageNet's weights, longer still, rarer classes weigh more": "cmp_balanced/FCN8s_imagenet_seed*.json",
    "FCN-8s on VGG-16 at an eighth, from scratch": "cmp_narrow/FCN8s_none_seed*.json",
    "FCN-8s on VGG-16 at an eighth, Tiny ImageNet's weights": "cmp_narrow/FCN8s_course_seed*.json",
}


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


def best_model(run: Mapping, out: str | Path) -> nn.Module:
    """The network of a record with the weights of its best epoch."""
    return from_weights(Path(out) / run["notebook"] / "best.safetensors").to(best_device())


def show_photographs() -> None:
    """Displays photographs of CMP Facade, their label maps and what the trained networks make of them."""
    show(
        SHEET.read_bytes(),
        "Three validation photographs of facades, their label maps, and predictions and errors of trained networks.",
    )


def photographs_table() -> Markdown:
    """Accuracy and mean IoU of the recorded networks on both sets, mean ± standard deviation over the seeds."""
    columns = [f"{split}.{name}" for split in ("validation", "test") for name in ("pixel_accuracy", "mean_iou")]
    header = [column.replace(".", " ").replace("_", " ").replace("iou", "IoU") for column in columns]
    rows = [
        [title, row["epochs"], row["seeds"], *(row[column] for column in columns)]
        for title, row in recorded_scores().items()
    ]
    return table(["network", "epochs", "seeds", *header], rows)


def recorded_scores(patterns: Mapping[str, str] = PHOTOGRAPHS) -> dict[str, dict[str, object]]:
    """The scores in committed records, over the seeds.

    Args:
        patterns: a network's title → its records, one a seed, as a pattern in files/results, such as
            "photographs_seed*/04_fcn8s.json".

    Returns:
        Title → epochs, seeds, and "mean ± standard deviation" by the score's path, such as "validation.mean_iou", for
        each score that all its records have.

    Raises:
        CourseError: a file is not a record, or there is none.
    """
    found = {}
    for title, pattern in patterns.items():
        records = recorded(pattern)
        found[title] = {
            "epochs": records[0]["parameters"]["epochs"],
            "seeds": len(records),
            **_spreads(records, ("validation", "test")),
            **_spreads([record["measured"] for record in records], ("test_without_doubtful",)),
        }
    return found


def _spreads(records: Sequence[Mapping], parts: Sequence[str]) -> dict[str, str]:
    found = {}
    for part in parts:
        for name in SCORES:
            values = [(record.get(part) or {}).get(name) for record in records]
            if None not in values:
                found[f"{part}.{name}"] = mean_and_spread(values)
    return found
