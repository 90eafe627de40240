"""Small notebooks and made-up records for the tests of the course package."""

import json
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PARAMETERS = '''data = "builtin"  # "builtin", "cmp", "voc", or a folder with base/ and extended/
epochs = 12
learning_rate = 1e-3
seed = 0
resume = False
images = []
checkpoint = None
out = "../runs/lab"'''
START = """from course.records.record import Record
record = Record.start("{name}", out, globals())"""


def write_notebook(
    folder: Path, name: str, *cells: str, parameters: str = PARAMETERS, after: Sequence[str] = ()
) -> Path:
    """A notebook with a parameters cell and these code cells; one that begins with "## " is markdown.

    Args:
        after: the notebooks whose records it reads.
    """
    first = new_code_cell(parameters)
    first.metadata.tags = ["parameters"]
    cells = [cell.replace("{name}", name) for cell in cells]
    others = [new_markdown_cell(cell) if cell.startswith("## ") else new_code_cell(cell) for cell in cells]
    notebook = new_notebook(cells=[new_markdown_cell(f"# {name}"), first, *others])
    lines = [line for cell in notebook.cells for line in cell.source.split("\n")]
    regions = sum("*START OF YOUR CODE" in line and "*END OF YOUR CODE" not in line for line in lines)
    notebook.metadata.course = {"regions": regions} | ({"after": list(after)} if after else {})
    notebook.metadata.kernelspec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")
    return folder / f"{name}.ipynb"


def figures(mean_iou: float) -> dict:
    """The figures of an evaluation over three classes, the last of which occurs nowhere."""
    return {
        "pixel_accuracy": 0.5,
        "mean_accuracy": 0.4,
        "mean_iou": mean_iou,
        "frequency_weighted_iou": 0.3,
        "iou_per_class": [mean_iou, mean_iou / 2, None],
    }


def record(
    notebook: str,
    seed: int = 0,
    validation: list[float] | None = None,
    test: float | None = None,
    measured: dict | None = None,
    sha256: str = "ab" * 32,
    **parameters: object,
) -> dict:
    """A record whose validation mean IoU by epoch and test mean IoU are given."""
    history = [
        {"epoch": number, "train_loss": 1 / number, "validation": figures(iou), "learning_rate": 1e-3, "seconds": 1.0}
        for number, iou in enumerate(validation or [], start=1)
    ]
    best = validation.index(max(validation)) + 1 if validation else None
    return {
        "notebook": notebook,
        "command": "python -m course run",
        "seed": seed,
        "parameters": {"data": "builtin", "epochs": 3, "seed": seed} | parameters,
        "packages": {"python": "3.11.0"},
        "device": "cpu: Some Processor, 2 threads",
        "data": {"name": "builtin", "sha256": sha256, "classes": ["wall", "roof", "sky <&>"]},
        "history": history or None,
        "best_epoch": best,
        "validation": figures(max(validation)) if validation else None,
        "test": None if test is None else figures(test),
        "measured": measured or {},
        "figures": [],
        "wall_time": 1.5,
    }


def write_records(folder: Path, *records: dict) -> None:
    """Records as a run leaves them."""
    for each in records:
        path = folder / each["notebook"] / "results.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(each))
