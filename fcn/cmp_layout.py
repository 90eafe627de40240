"""A folder in CMP Facade's layout: its photographs in order, and how many of them train, validate and test."""

import json
from pathlib import Path

from core.errors import CourseError
from core.files import read_text

SPLITS = {"train": 500, "val": 30, "test": 76}  # the assignment's, in the order base 1-378, extended 1-228


def cmp_photographs(root: Path, count: int) -> list[Path]:
    """The photographs in base/ and extended/, in the order of their names.

    Raises:
        CourseError: a folder is missing or can't be read, or there aren't `count` photographs.
    """
    for name in ("base", "extended"):
        if not (root / name).is_dir():
            raise CourseError(
                f"{root} has no folder {name}/; give the folder that holds base/ and extended/, "
                "or fetch the data with `course data cmp`."
            )
    try:
        photographs = [
            path
            for name in ("base", "extended")
            for path in sorted((root / name).iterdir())
            if path.suffix.lower() in (".jpg", ".jpeg") and not path.name.startswith(".")
        ]
    except OSError as error:
        raise CourseError(f"Cannot read {root}: {error.strerror or error}; check its permissions.") from error
    if len(photographs) != count:
        advice = (
            "remove it, and it is drawn anew"
            if (root / "drawn.txt").is_file()
            else "fetch it again with `course data cmp` (of your own data, say in splits.json how many train, validate "
            "and test)"
        )
        raise CourseError(f"{root} holds {len(photographs)} photographs where {count} belong; {advice}.")
    return photographs


def split_counts(root: Path) -> dict[str, int]:
    """The number of photographs in each split, from splits.json where there is one.

    Raises:
        CourseError: splits.json is of another form.
    """
    path = root / "splits.json"
    if not path.is_file():
        return SPLITS
    try:
        read = json.loads(read_text(path))
        counts = {"train": read["train"], "val": read["validation"], "test": read["test"]}
        if not all(type(count) is int and count >= 0 for count in counts.values()):
            raise ValueError("not whole numbers")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f'{path} is not of the form {{"train": 160, "validation": 32, "test": 48}}; mend or remove it.'
        ) from error
    return counts
