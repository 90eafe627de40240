"""The claims about residual networks, on hand-made records whose answers are plain."""

import copy

import pytest

from course.reporting.claims.measure import measure
from course.reporting.claims.residual import CLAIMS, RESIDUAL

GRADIENTS = {
    "tanh, no BatchNorm, torch, CNN, 35": {"early": -10.0, "late": -2.0},
    "tanh, no BatchNorm, torch, Residual, 35": {"early": -1.5, "late": -1.0},
    "tanh, no BatchNorm, xavier, CNN, 35": {"early": -2.0, "late": -1.5},
    "ReLU, BatchNorm, torch, CNN, 53": {"early": 2.5, "late": 0.0},
}
NOISE = {
    "CNN early": {"norm": 10.0, "relative": 4.0},
    "CNN late": {"norm": 0.1, "relative": 2.0},
    "Residual early": {"norm": 1.0, "relative": 4.0},
    "Residual late": {"norm": 0.1, "relative": 0.02},
}
ACCURACY = {
    "plain 20": {"train": 0.6, "test": 0.5},
    "plain 35": {"train": 0.2, "test": 0.2},
    "residual 20": {"train": 0.8, "test": 0.7},
    "residual 35": {"train": 0.8, "test": 0.6},
}


def record(seed: int) -> dict:
    """A run's record; seeds differ a little in their accuracy."""
    accuracy = copy.deepcopy(ACCURACY)
    accuracy["plain 35"]["test"] += 0.01 * seed
    measured = {"gradients": GRADIENTS, "noise": NOISE, "accuracy": accuracy}
    return {
        RESIDUAL: {
            "notebook": RESIDUAL,
            "parameters": {"seed": seed, "depths": [20, 35], "epochs": 8},
            "seed": seed,
            "data": None,
            "measured": measured,
        }
    }


@pytest.mark.parametrize(
    "name, figure, verdict",
    [
        ("residual-faster", 0.4, "reproduced"),
        ("skips-keep-gradients", 8.5, "reproduced"),
        ("tanh-vanishes", 0.5 - 7.5, "refuted"),
        ("bn-keeps-signals", 1 - 2.5, "refuted"),
        ("plain-bigger", 1.0, "reproduced"),
        ("plain-noisier", 1.0, "reproduced"),  # the mean of log10 4/4 and log10 2/0.02
        ("degradation", 0.4, "reproduced"),
    ],
)
def test_figure_and_verdict(name, figure, verdict):
    (claim,) = [claim for claim in CLAIMS if claim.name == name]
    (finding,) = measure(record(0), [record(1), record(2)], [claim])
    assert finding.figures[0] == pytest.approx(figure) and len(finding.figures) == 3
    assert finding.verdict == verdict


def test_every_claim_is_tried_and_none_without_the_notebook():
    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS) == 8
    assert {finding.verdict for finding in measure({}, [], CLAIMS)} == {"not measured"}
