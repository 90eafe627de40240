"""The web site in a real browser: a part of it, built here, as wide as a desk's screen and as narrow as a phone's."""

import importlib.util
import os
import subprocess
import sys

import pytest

from core.files import ROOT

pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("sphinx_book_theme", "myst_nb", "latex2mathml")),
    reason='The site\'s packages are not installed: pip install -c constraints.txt -e ".[site]"',
)
# The modules' pages are left out: reading them takes longer than all others together.
PARTS = ("index.md", "docs/[!a]*.md", "docs/instructors/[!a]*.md", "notebooks/06_cam.ipynb")
PAGES = ("index.html", "docs/results.html", "notebooks/06_cam.html")
SIZES = {"desk": (1200, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def site(browser, tmp_path_factory):  # built only where it can be looked at
    """The folder of a part of the site; a warning fails, unless it is about a page that is left out here."""
    folder = tmp_path_factory.mktemp("site") / "html"
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-c",
        "docs/instructors/site",
        "-d",
        folder.parent / "read",
    ]
    command += ["-D", f"include_patterns={','.join(PARTS)}", "-D", "suppress_warnings=toc,myst.xref_missing"]
    environment = os.environ | {"REPOSITORY": ""}
    run = subprocess.run([*command, ".", folder], cwd=ROOT, capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(params=SIZES)
def page(request, browser):
    width, height = SIZES[request.param]
    page = browser.new_page(viewport={"width": width, "height": height})
    page.elsewhere = []  # what is asked for from the network
    page.on("request", lambda sent: sent.url.startswith("file:") or page.elsewhere.append(sent.url))
    yield page
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_reads_aloud_and_needs_no_network(page, site, name):
    page.goto((site / name).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert page.evaluate("[...document.images].filter(image => !image.alt.trim()).map(image => image.src)") == []
    assert page.elsewhere == []
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    serious = [
        (fault["id"], [node["html"][:200] for node in fault["nodes"]][:3])
        for fault in axe.run(page).response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_search_finds_receptive_field(page, site):
    page.goto((site / "search.html").as_uri() + "?q=receptive+field")
    page.wait_for_selector("#search-results li a")
    assert "Glossary" in page.inner_text("#search-results")


def test_notebook_shows_its_figures_and_folds_its_solutions(page, site):
    page.goto((site / "notebooks/06_cam.html").as_uri())
    solution = page.locator("details", has_text="Show a solution").first
    code = solution.locator("pre").first
    assert not code.is_visible()
    solution.locator("summary").click()
    assert code.is_visible() and "START OF YOUR CODE" in code.inner_text()
    assert page.locator(".cell_output img").count() >= 5 and page.locator("math").count() >= 5


def test_notebook_opens_on_binder_and_colab(page, site):
    page.goto((site / "notebooks/06_cam.html").as_uri())
    links = page.evaluate("[...document.links].map(link => link.href)")
    for start in ("https://mybinder.org/v2/gh/", "https://colab.research.google.com/github/"):
        assert [link for link in links if link.startswith(start) and link.endswith("notebooks/06_cam.ipynb")]
