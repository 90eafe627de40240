"""The course as a web site, built by `make site`: everything that Sphinx is told."""

import os
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.config import ENUM
from sphinx.writers.html5 import HTML5Translator

from course.teaching.site import FOLDED, LEFT_OUT, as_page

# Where the repository is, for the buttons that open a notebook on Colab and Binder: the one place that says so.
REPOSITORY = os.environ.get("REPOSITORY") or "https://github.com/fcn-cam-course/fcn-cam-course"

project = "FCN and CAM"
author = "the authors of the course on FCN and CAM"
html_title = project
root_doc = "index"
# Sphinx is run on the project's folder, so that links between pages are those that also work in the repository.
include_patterns = ["index.md", "docs/**", "notebooks/*.ipynb", "presets/*.md", "files/*.md", "dataset/README.md"]
exclude_patterns = [".*", "**/.*", "docs/instructors/site", "runs", "site", "tests"]

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
templates_path = [str(Path(__file__).parent / "templates")]
napoleon_use_ivar = True  # or a field would be described twice
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
default_role = "code"

nb_execution_mode = "off"
nb_render_markdown_format = "myst"  # tables in outputs
nb_ipywidgets_js = {}  # they would come from the net; a widget's still picture is shown
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

html_theme = "sphinx_book_theme"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = False  # a copy of a notebook would give away the solutions that its page leaves out
html_show_copyright = False
html_theme_options = {
    "repository_url": REPOSITORY,
    "repository_branch": "main",
    "use_repository_button": True,
    "launch_buttons": {
        "colab_url": "https://colab.research.google.com",
        "binderhub_url": "https://mybinder.org",
        "notebook_interface": "jupyterlab",
    },
    "use_download_button": False,
    "max_navbar_depth": 1,  # what opens deeper levels has no name for a screen reader
    "navbar_persistent": [],  # the search field stands in the sidebar
}
html_math_renderer = "mathml"  # what browsers show without a script, and screen readers read


def _read(app: Sphinx, name: str, source: list[str]) -> None:
    if name.startswith("notebooks/"):
        source[0] = as_page(source[0], name, app.config.solutions)


def _inline(page: HTML5Translator, node: nodes.math) -> None:
    page.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(page: HTML5Translator, node: nodes.math_block) -> None:
    page.body.append(f'<div class="formula" tabindex="0">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.add_config_value("solutions", FOLDED, "env", ENUM(FOLDED, LEFT_OUT))
    app.connect("source-read", _read)
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
