"""A small notebook with exercises, and what students may have made of it."""

import nbformat

NAME = "01_first"
AREA = """def area(width, height):
    # *START OF YOUR CODE: return the product of both
    return width * height
    # *END OF YOUR CODE"""
SIDE = """# *START OF YOUR CODE: side
side = 3
# *END OF YOUR CODE"""
CELLS = (
    "import os\nimport time\n\nfrom course.checks import expect, expect_close",
    AREA,
    'expect(area(2, 3) == 6, "2 x 3 is 6.")',
    SIDE,
    'expect(side == 3, f"side is {side}, not 3.")',
    "## *START OF YOUR CODE (an answer in words)\n\nIt is a product.\n\n*END OF YOUR CODE",
)
# Of the course's modules, what this notebook needs: without torch its kernel starts ten times faster.
LIGHT = (
    "cam/__init__.py",
    "core/__init__.py",
    "core/errors.py",
    "course/__init__.py",
    "course/notebooks/__init__.py",
    "course/notebooks/markers.py",
    "course/notebooks/names.py",
    "course/checks/expectations.py",
    "course/checks/one_line.py",
    "course/checks/own_work.py",
    "fcn/__init__.py",
    "residual/__init__.py",
)
CHECKS = """from course.checks.expectations import CheckFailed, expect, expect_close
from course.checks.one_line import answer_in_one_line
from course.checks.own_work import again, own_work

answer_in_one_line()
"""
HIDDEN = '# %% {check}\nexpect(area(5, 7) == 35, "Another area is wrong.")\n'
RIGHT = {"c3": AREA, "c5": SIDE, "c7": "It is a product."}


def answered(blank, **sources):
    """The blank notebook with other sources in some cells, by id."""
    notebook = nbformat.from_dict(blank)
    for cell in notebook.cells:
        cell.source = sources.get(cell.id, cell.source)
    return notebook
