"""What a record came from: the course's code, the notebook, and what it read from disk, each file by its SHA-256."""

import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from core.files import ROOT, sha256
from course.notebooks.source import Notebook

CODE = Path(__file__).resolve().parents[2]
PACKAGES = ("core", "fcn", "cam", "residual", "course")
NOTEBOOK = "the notebook"
DIGITS = 16  # of each hash: enough to tell versions apart


def code() -> dict[str, str]:
    """The course's Python files, and the weights that come with it, by path from the course's folder."""
    files = [(path.relative_to(CODE), path) for package in PACKAGES for path in (CODE / package).rglob("*.py")]
    files += [(path.relative_to(ROOT), path) for path in (ROOT / "files").glob("*.safetensors")]
    return {name.as_posix(): sha256(path)[:DIGITS] for name, path in sorted(files)}


def used(code: Mapping[str, str], notebook: Notebook) -> dict[str, str]:
    """Those of the files that this process has imported, all weights, and the notebook's code.

    A change elsewhere, in the report say, leaves a record as good as it was.

    Args:
        code: as `code` gave it when the process began, since files may change while a notebook runs.
    """
    loaded = {
        Path(module.__file__).resolve()
        for name, module in list(sys.modules.items())
        if name.split(".")[0] in PACKAGES and getattr(module, "__file__", None)
    }
    return {NOTEBOOK: source(notebook)} | {
        name: digest for name, digest in code.items() if not name.endswith(".py") or CODE / name in loaded
    }


def source(notebook: Notebook) -> str:
    """The hash of a notebook's code, whatever its texts and outputs are."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256("\0".join(cells).encode()).hexdigest()[:DIGITS]


def digest(path: Path) -> str:
    """The hash of a file, or of a folder's files with their names; links are followed, hidden files don't count."""
    if path.is_file():
        return sha256(path)[:DIGITS]
    folders = os.walk(path, followlinks=True)
    found = (Path(folder, name) for folder, _, names in folders for name in names if not name.startswith("."))
    files = sorted(file for file in found if file.is_file())
    listing = "".join(f"{file.relative_to(path).as_posix()} {sha256(file)}\n" for file in files)
    return hashlib.sha256(listing.encode()).hexdigest()[:DIGITS]


def data(
    notebook: Notebook,
    parameters: Mapping[str, object],
    out: str | Path,
    digest: Callable[[Path], str] = digest,
) -> dict[str, str]:
    """The files and folders on disk that a notebook reads: those its parameters name, and the records it comes after.

    Args:
        parameters: by name; one that names an absolute path or a folder of dataset/ counts.
        out: the run's folder.
        digest: gives a path's hash.
    """
    places = {}
    for name, value in parameters.items():
        for number, item in enumerate(value if isinstance(value, list) else [value]):
            if name != "out" and isinstance(item, str) and item and (path := ROOT / "dataset" / item).exists():
                places[f"{name}[{number}]" if isinstance(value, list) else name] = path
    for earlier in notebook.metadata.get("course", {}).get("after", []):
        places[earlier] = Path(out, earlier, "results.json")
    return {name: digest(path) for name, path in places.items() if path.exists()}
