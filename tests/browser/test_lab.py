"""JupyterLab on the blank version in a real browser, as a student meets it: a blank, its check, a figure with controls,
and a photograph of one's own.

The notebook is cut from the course's own cells. Most of the processor time goes into the start of JupyterLab and of the
kernel, and into drawing the page: nothing shorter shows that the parts work together.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request

import nbformat
import pytest

from core.files import ROOT
from course.notebooks import source as notebooks
from course.teaching.release import COPIED, release

TOKEN = "student"
PATIENCE = 60  # seconds; the machine may have other work
CELLS = {
    "06_cam": ("06-01", "06-02", "06-05", "06-06"),
    "02_fcn32s_scratch": ("02-windows-1",),
    "12_photographs": ("12-own-1", "12-own-5"),
}
IMPORTS = """
from cam.overlay import overlay_figure
from core.plotting import show
from course.widgets.convolution import move_windows
from course.widgets.photograph import OwnPhotograph
"""
BODY = """def prepare(pixels):
mean = torch.tensor([0.485, 0.456, 0.406])
std = torch.tensor([0.229, 0.224, 0.225])
values = torch.from_numpy(np.array(pixels)).float()
return ({values} - mean).div(std).permute(2, 0, 1)"""


def cut_down() -> nbformat.NotebookNode:
    """A short notebook of the course's own cells, with one blank."""
    whole = {name: notebooks.read(notebooks.FOLDER / f"{name}.ipynb") for name in CELLS}
    notebook = whole["06_cam"]
    by_id = {cell.id: cell for each in whole.values() for cell in each.cells}
    notebook.cells = [by_id[name] for names in CELLS.values() for name in names]
    notebook.cells[1].source += IMPORTS
    notebook.metadata.course.regions = 1
    return notebook


@pytest.fixture(scope="module")
def blank(browser, tmp_path_factory):
    """The folder of notebooks of a blank version that has the short one alone."""
    pytest.importorskip("nbgrader", reason="nbgrader is not installed: run make test.")
    folder = tmp_path_factory.mktemp("course")
    (folder / "solved" / "notebooks").mkdir(parents=True)
    for part in COPIED:
        if "/" not in part:
            (folder / "solved" / part).symlink_to(ROOT / part)
    nbformat.write(cut_down(), folder / "solved" / "notebooks" / "short.ipynb")
    release(folder / "blank", folder / "solved")
    return folder / "blank" / "notebooks"


@pytest.fixture(scope="module")
def lab(blank, tmp_path_factory):
    """The address of a JupyterLab of its own on them, with no settings of the user's."""
    folder = tmp_path_factory.mktemp("jupyter")
    for plugin, settings in {
        "notebook-extension/tracker": '{"windowingMode": "none"}',  # cells out of sight are there too
        "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
    }.items():
        path = folder / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(settings)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: str(folder / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    own |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "PYTHONPATH": str(blank.parent)}
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        f"--ServerApp.port={port}",
        f"--notebook-dir={blank}",
    ]
    command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", "--allow-root"]
    with (folder / "log").open("w") as log:
        # In the folder that `make lab` starts it in, for there lie nbgrader's settings.
        server = subprocess.Popen(command, cwd=blank.parent, env=os.environ | own, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/api?token={TOKEN}", server)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()  # its kernels end with it
            server.wait()


def wait_for(address: str, server: subprocess.Popen) -> None:
    for _ in range(2 * PATIENCE):
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            assert server.poll() is None, "JupyterLab ended by itself"
            server_is_busy(server)
    raise AssertionError("JupyterLab doesn't answer")


def server_is_busy(server: subprocess.Popen) -> None:
    """Lets half a second pass, unless it ends before."""
    try:
        server.wait(0.5)
    except subprocess.TimeoutExpired:
        return


@pytest.fixture(scope="module")
def page(browser, lab):
    """The notebook, opened, all its cells run as far as they go."""
    from playwright.sync_api import TimeoutError  # not above: it may be missing, and then nothing here runs

    page = browser.new_page(viewport={"width": 1200, "height": 2400})
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(f"{lab}/lab/tree/short.ipynb?token={TOKEN}")
    page.locator(".jp-NotebookPanel-toolbar").wait_for()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    for last in (False, False, True):  # what is asked of a kernel that is about to start may get lost
        run_from(page, cell(page, "images ="))
        try:
            see(cell(page, "probe ="), "prepare")  # it has come to the blank's check
            break
        except TimeoutError:
            if last:
                raise
    yield page
    page.close()  # the server ends sooner without it


def cell(page, words: str):
    """The code cell that has these words in its source."""
    return page.locator(".jp-CodeCell").filter(has=page.locator(".cm-content", has_text=words))


def run_from(page, first) -> None:
    """Runs this cell and all below, until one fails."""
    first.locator(".cm-content").click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run Selected Cell and All Below").click()


def answer(page, values: str) -> None:
    """Writes the blank's cell anew and runs it and all below."""
    blank = cell(page, "def prepare")
    blank.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    first, *lines = BODY.format(values=values).split("\n")
    page.keyboard.insert_text("\n    ".join([first, *lines]))
    run_from(page, blank)


def see(where, text: str) -> None:
    """Waits until an output has this text."""
    where.locator(".jp-OutputArea-output", has_text=re.compile(text)).first.wait_for()


def see_figure(where, alt: str) -> None:
    """Waits until a figure that somebody who can't see it is told this of."""
    where.locator(f"img[alt*='{alt}']").wait_for()


def test_the_first_blank_says_what_it_must_give(page):
    see(page.locator(".jp-Notebook"), "prepare is still to be written")


def test_validate_says_that_the_blank_fails(page):
    page.get_by_role("button", name="Validate").click()
    dialog = page.locator(".jp-Dialog", has_text="The following cell failed")
    dialog.wait_for()
    assert "prepare is still to be written" in dialog.inner_text()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")


def test_a_wrong_answer_is_told_what_is_wrong(page):
    answer(page, "values")
    see(cell(page, "probe ="), "The values are too large: divide by 255")


def test_a_right_answer_is_told_so(page):
    answer(page, "values / 255")
    see(cell(page, "probe ="), "prepared as the network was trained")


def test_a_control_changes_the_figure(page):
    windows = cell(page, "move_windows()")
    see_figure(windows, "kernel 3, stride 2, padding 1")
    windows.locator(".widget-readout").first.click()
    page.keyboard.press("Control+A")
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    see_figure(windows, "kernel 5, stride 2, padding 1")


def test_an_uploaded_photograph_gets_its_map(page, tmp_path):
    shutil.copy(ROOT / "files" / "photographs" / "coffee.png", tmp_path / "mine.png")
    see_figure(cell(page, "overlay_figure("), "the map of palace")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload a photograph").click()
    chooser.value.set_files(tmp_path / "mine.png")
    see_figure(cell(page, "mine.choose()"), "The photograph mine.png")
    cell(page, "overlay_figure(").locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    see_figure(cell(page, "overlay_figure("), "the map of espresso")
