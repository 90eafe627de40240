"""The hidden tests: the course's own solutions pass them, and answers that only fit the visible cases don't."""

import re
import sys

import pytest
import torch

from course.checks import CheckFailed
from course.notebooks import source as notebooks
from course.teaching.grading.cells import hidden_tests
from fcn.backbones import Trunk
from fcn.digits.networks import FCN8

# What cells between the imports and the check would have made, as small as it can be.
PICTURES = [(torch.rand(3, 64, 96), torch.randint(12, (64, 96))) for _ in range(3)]
STATE = {
    "01_facades": {"counts": None},
    "02_fcn32s_scratch": {"train_set": PICTURES},
    "08_plain_vs_residual": {"x": torch.rand(8, 3, 32, 32), "labels": torch.arange(8)},
    "09_digit_surgery": {"cuts": FCN8().cuts},
    "12_photographs": {"trunk": Trunk("efficientnet_lite0", 1.0, "aligned")},
}
# These need networks that a notebook trains; `course grade` on the solved notebook tries them.
TRAINED = {"03-08", "05-14", "09-23", "09-40"}
CASES = [
    (path.stem, check) for path in notebooks.choose([]) for check in hidden_tests(path.stem) if check not in TRAINED
]


def notebook_after(name, spoil=("", "")) -> dict[str, object]:
    """The names of a notebook whose parameters, imports and blanks in functions and classes were run.

    Args:
        spoil: a text in the solved cells, and what stands there instead.
    """
    names = {**STATE.get(name, {}), "In": [], "__name__": "__main__"}
    for cell in notebooks.read(notebooks.FOLDER / f"{name}.ipynb").cells:
        first = re.match(r"import |from ", cell.source) or "parameters" in cell.metadata.get("tags", [])
        blank = "*START OF YOUR CODE" in cell.source
        if cell.cell_type == "code" and (first or blank):
            source = cell.source.replace(*spoil) if spoil[0] else cell.source
            names["In"].append(source)
            if first or re.search(r"^(def|class) ", source, re.MULTILINE):
                exec(source, names)
    names.update((key, getattr(sys.modules["course.checks"], key)) for key in sys.modules["course.checks"].__all__)
    return names


def run_hidden(name, check, monkeypatch, spoil=("", "")):
    names = notebook_after(name, spoil)
    monkeypatch.setattr(sys.modules["course.checks.own_work"], "_values", lambda: names)
    exec(hidden_tests(name)[check], names)


@pytest.mark.parametrize("name, check", CASES, ids=[check for _, check in CASES])
def test_the_courses_solution_passes(name, check, monkeypatch):
    run_hidden(name, check, monkeypatch)


@pytest.mark.parametrize(
    "name, check, spoil",
    [
        ("01_facades", "01-18", ("counts[i, j] += 1", "counts = torch.tensor([[2.0, 1, 0], [0, 3, 1], [1, 0, 1]])")),
        ("01_facades", "01-21", ("hits.sum() / counts.sum()", "torch.tensor(6 / 9)")),
        ("10_fcn_backbones", "10-14", ("return field, step", "return (355, 32) if len(layers) > 2 else (field, step)")),
        (
            "12_photographs",
            "12-11",
            ("return total // 2, total - total // 2", "return total // 2, (total + 1) // 2 * (side != 300)"),
        ),
    ],
)
def test_an_answer_that_fits_the_visible_cases_alone_fails(name, check, spoil, monkeypatch):
    with pytest.raises(CheckFailed):
        run_hidden(name, check, monkeypatch, spoil)
