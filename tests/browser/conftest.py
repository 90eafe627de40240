"""A browser for the tests of what students see: Debian's Chromium, which playwright drives."""

import shutil

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")  # not of the session: its event loop would be in the way of other tests
def browser():
    """Chromium without a window; where it or playwright is missing, what asks for it is skipped."""
    if BROWSER is None:
        pytest.skip("No Chromium is found: install it to test in a browser.")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: run make test.")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=BROWSER)
        yield browser
        browser.close()
