"""The three lists of packages say the same: pyproject.toml, constraints.txt and environment.yml."""

import re
import tomllib

import pytest
import yaml

from core.files import ROOT


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lines: list[str]) -> dict[str, str]:
    """Version by package, from lines such as "torch==2.15.0"."""
    return {
        normalised(name): version
        for name, version in (line.split("==") for line in lines if line and not line.startswith(("#", "-")))
    }


CONSTRAINTS = pins((ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines())
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
CONDA_PIP = next(entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DIRECT = sorted(
    {
        normalised(re.split(r"[\s\[<>=!~;]", requirement)[0])
        for requirement in [*PROJECT["dependencies"], *sum(PROJECT["optional-dependencies"].values(), [])]
    }
)


@pytest.mark.parametrize("package", DIRECT)
def test_every_direct_dependency_is_pinned_in_both(package):
    assert pins(CONDA_PIP)[package] == CONSTRAINTS[package]


def test_conda_has_no_pin_of_its_own():
    assert pins(CONDA_PIP).items() <= CONSTRAINTS.items()
    assert "-c constraints.txt" in CONDA_PIP and "-e ." in CONDA_PIP


def test_conda_has_a_python_that_the_project_allows():
    version = next(entry for entry in CONDA["dependencies"] if str(entry).startswith("python="))
    lowest = PROJECT["requires-python"].removeprefix(">=")
    assert tuple(map(int, version.removeprefix("python=").split("."))) >= tuple(map(int, lowest.split(".")))


def test_torch_and_torchvision_are_the_pair_that_works():
    assert (CONSTRAINTS["torch"], CONSTRAINTS["torchvision"]) == ("2.15.0", "0.29.2")


def test_nothing_is_pinned_that_only_some_machines_can_install():
    assert not [name for name in CONSTRAINTS if name.startswith(("nvidia-", "cuda-", "triton", "fcn-cam"))]
