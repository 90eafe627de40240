"""README and docs/: every link, file, command and module that they name is there."""

import re

import pytest

from core.files import ROOT
from course.cli import COMMANDS

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md")), ROOT / "files/README.md", ROOT / "dataset/README.md"]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


@each_page
def test_every_place_that_is_named_is_there(page):
    text = page.read_text(encoding="utf-8")
    places = re.findall(r"`((?:core|fcn|cam|residual|course|experiments|docs|tests|files)/[\w/.-]*)`", text)
    assert [place for place in places if not (ROOT / place).exists()] == []


@each_page
def test_every_command_that_is_named_is_one(page):
    text = page.read_text(encoding="utf-8")
    names = re.findall(r"(?:^ {4}|`)(?:python -m )?course ([a-z][a-z-]+)", text, re.MULTILINE)
    assert set(names) <= COMMANDS.keys()


def test_every_module_that_is_to_be_run_is_there():
    """`python -m …`, wherever the code or a page tells it."""
    folders = ("core", "fcn", "cam", "residual", "course", "experiments", "benchmarks", "tests")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    for page in [*PAGES, *sources]:
        for module in re.findall(r"python -m ([a-z_]+(?:\.[a-z_]+)*)\b(?!\.\w)", page.read_text(encoding="utf-8")):
            if module.split(".")[0] in folders:
                path = ROOT / module.replace(".", "/")
                assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), f"{page}: {module}"


def test_readme_is_short_and_the_map_has_its_ten_questions():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 120
    map_ = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^\| [^|]+\? \|", map_, re.MULTILINE)) == 10
