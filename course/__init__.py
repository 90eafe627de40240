"""What stands around the notebooks: running, records, reports, checks, widgets and teaching."""

from importlib.util import find_spec
from pathlib import Path

for _package in ("core", "fcn", "cam", "residual"):  # Python itself would say: 'core' is not a package
    _file = find_spec(_package).origin
    if Path(_file).parents[1] != Path(__file__).parents[1]:  # a kernel looks in the notebook's folder first
        raise ImportError(f"{_file} hides the course's package {_package}; rename it.")
