"""What the same code came to after a real training: the committed records on photographs, for notebooks to show."""

from collections.abc import Mapping, Sequence

from IPython.display import Markdown

from core.errors import CourseError
from core.files import ROOT
from core.plotting import show, table
from core.record import SCORES, read_record
from core.spread import mean_and_spread

RECORDED = ROOT / "files" / "results"
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
        records = [read_record(path) for path in sorted(RECORDED.glob(pattern))]
        if not records:
            raise CourseError(f"There is no record {pattern} in {RECORDED}; restore files/results from the course.")
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
