"""Files beside the notebooks that hide what these import: a kernel looks for modules in its own folder first."""

import sys
import sysconfig
from importlib.machinery import PathFinder
from pathlib import Path

PACKAGES = {"core", "fcn", "cam", "residual", "course"}


def hiding(folder: Path) -> list[str]:
    """A sentence for each file of a folder that Python would take for a package of that name."""
    installed = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    known = PACKAGES | sys.stdlib_module_names
    return [
        f"{path} hides the package {path.stem} from the notebooks; give the file another name."
        for path in sorted(folder.glob("*.py"))
        if path.stem in known or PathFinder.find_spec(path.stem, installed)
    ]
