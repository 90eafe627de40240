"""Files beside the notebooks that hide what these import.

A kernel looks for modules in its own folder before it looks among the installed ones, but after the standard library's.
"""

import sysconfig
from importlib.machinery import PathFinder
from pathlib import Path

PACKAGES = ("core", "fcn", "cam", "residual", "course")


def hiding(folder: Path) -> list[str]:
    """A sentence for each file of a folder that a kernel would take for an installed package."""
    installed = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    return [
        f"{path} hides the package {path.stem} from the notebooks; give the file another name."
        for path in sorted(folder.glob("*.py"))
        if path.stem in PACKAGES or PathFinder.find_spec(path.stem, installed)
    ]
