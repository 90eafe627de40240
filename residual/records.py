"""The recorded trainings, read back for a table."""

from pathlib import Path

from core.errors import CourseError
from core.files import ROOT
from core.record import read_record
from core.spread import mean_and_spread

# Written by experiments/residual.py.
PHOTOGRAPHS = ROOT / "files" / "results" / "cifar10_jpeg"
SHAPES = ROOT / "files" / "results" / "residual_builtin"


def table(folder: Path) -> str:
    """One line per network of the records in a folder: mean ± standard deviation over the seeds.

    Raises:
        CourseError: there is no record in the folder, or a file in it is none.
    """
    groups: dict[str, list[dict]] = {}
    for path in sorted(folder.glob("*.json")):
        record = read_record(path)
        try:
            parameters = record["parameters"]
            kind = "plain" if parameters["shortcut"] == "none" else "residual"
            groups.setdefault(f"{kind} {parameters['depth']}, {parameters['epochs']} epochs", []).append(record)
        except KeyError as error:
            raise CourseError(f"{path} is no record of a training; remove it.") from error
    if not groups:
        raise CourseError(f"{folder} holds no record of a training; name another folder.")
    lines = [f"{'':22} seeds  training error  validation accuracy  test accuracy"]
    for name, records in groups.items():
        columns = (
            [1 - record["measured"]["train"]["accuracy"] for record in records],
            [record["validation"]["accuracy"] for record in records],
            [record["test"]["accuracy"] for record in records],
        )
        texts = [mean_and_spread(values) for values in columns]
        lines.append(f"{name:22} {len(records):5}  {texts[0]:>14}  {texts[1]:>19}  {texts[2]:>13}")
    return "\n".join(lines)
