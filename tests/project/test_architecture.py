"""The house: who may import whom, one of each thing, and no room called utils."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from core.files import ROOT

PACKAGES = ("core", "fcn", "cam", "residual", "course")
# What each package may import of the others; the arrows go one way.
MAY_IMPORT = {
    "core": set(),
    "fcn": {"core"},
    "cam": {"core", "fcn"},
    "residual": {"core", "fcn"},
    "course": {"core", "fcn", "cam", "residual"},
    "benchmarks": {"core", "fcn", "cam", "residual", "course"},
    "experiments": {"core", "fcn", "cam", "residual", "course"},
}
MODULES = sorted(path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The packages of the course that a module imports, wherever in it the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found & set(MAY_IMPORT)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_import_runs_upwards(path):
    package = path.relative_to(ROOT).parts[0]
    assert imported(path) <= MAY_IMPORT[package] | {package}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def needs(path: Path) -> set[str]:
    """The modules of the course that a module imports, wherever in it the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & NAMES.keys() or {node.module}
    return found & NAMES.keys()


NAMES = {module_name(path): path for path in MODULES}


def test_no_modules_import_each_other_in_a_circle():
    graph = {name: needs(path) - {name} for name, path in NAMES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" → ".join(error.args[1])) from error


def test_what_students_need_imports_nothing_that_they_lack():
    """Nothing but the commands names course.teaching, and these only once they run."""
    for path in MODULES:
        if path.relative_to(ROOT).parts[:2] != ("course", "teaching"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
            assert not [node for node in top if "course.teaching" in ast.unparse(node)], path


def test_no_module_is_a_drawer_for_everything():
    names = {path.stem for path in MODULES}
    assert not names & {"utils", "util", "helpers", "common", "misc"}


def lines_with(pattern: str, *folders: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(pattern, line)
    ]


@pytest.mark.parametrize(
    "what, pattern, where",
    [
        ("loop of steps", r"\boptimi[sz]er\.step\(\)", "fcn/trainer.py"),
        ("reader of photographs", r"Base\.Orientation", "core/photographs.py"),
        ("nearest name", r"get_close_matches", "core/errors.py"),
        ("palette of lines", r'"#D55E00"', "core/plotting.py"),
    ],
)
def test_there_is_one_of_each_thing(what, pattern, where):
    found = lines_with(pattern, *PACKAGES, "experiments")
    assert {line.split(":")[0] for line in found} == {where}, f"the {what} stands in {found}"


def test_what_tests_are_called_follows_the_code():
    """tests/ has the same folders as the code, one for the project as a whole, one for what a browser shows."""
    folders = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")}
    assert folders <= {*PACKAGES, "experiments", "project", "browser"}
