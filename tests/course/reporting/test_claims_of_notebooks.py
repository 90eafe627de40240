"""The claims about maps, digits and residual networks, on hand-made records whose answers are plain."""

import pytest
from course_samples import record

from course.reporting.claims.table import CLAIMS, findings

BY_NAME = {claim.name: claim for claim in CLAIMS}
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


def maps(seed: int) -> dict:
    controls = {"random map": 0.1, "centre blob": 0.3, "wrong class": 0.2, "random weights": 0.1}
    return {
        "pointing": {"CAM, aligned": 0.9 - 0.01 * seed} | controls,
        "networks": {"plain": {"spread": 0.8 + 0.01 * seed}, "residual": {"spread": 0.7}},
    }


def digits(seed: int) -> dict:
    standard = {"single": {"mean_iou": 0.88}, "grid": {"digit_mean_iou": 0.42 + 0.01 * seed}}
    fcn8 = {"single": {"mean_iou": 0.96 + 0.01 * seed}}
    return {"scores": {"standardFCN, single digits": standard, "fcn8, single digits": fcn8}}


def residual(seed: int) -> dict:
    accuracy = {
        "plain 20": {"train": 0.6, "test": 0.5},
        "plain 35": {"train": 0.2, "test": 0.2 + 0.01 * seed},
        "residual 20": {"train": 0.8, "test": 0.7},
        "residual 35": {"train": 0.8, "test": 0.6},
    }
    return {"gradients": GRADIENTS, "noise": NOISE, "accuracy": accuracy}


@pytest.mark.parametrize(
    "name, notebook, measured, figure, verdict",
    [
        ("cam-localises", "07_gradcam", maps, 0.6, "reproduced"),
        ("resnet-diffuse", "07_gradcam", maps, -0.1, "refuted"),
        ("fcn8-digits-worse", "09_digit_surgery", digits, -0.08, "refuted"),
        ("digits-generalise", "09_digit_surgery", digits, 0.42, "refuted"),
        ("residual-faster", "08_plain_vs_residual", residual, 0.4, "reproduced"),
        ("skips-keep-gradients", "08_plain_vs_residual", residual, 8.5, "reproduced"),
        ("tanh-vanishes", "08_plain_vs_residual", residual, 0.5 - 7.5, "refuted"),
        ("bn-keeps-signals", "08_plain_vs_residual", residual, 1 - 2.5, "refuted"),
        ("plain-bigger", "08_plain_vs_residual", residual, 1.0, "reproduced"),
        ("plain-noisier", "08_plain_vs_residual", residual, 1.0, "reproduced"),  # mean of log10 4/4 and log10 2/0.02
        ("degradation", "08_plain_vs_residual", residual, 0.4, "reproduced"),
    ],
)
def test_figure_and_verdict_over_three_seeds(name, notebook, measured, figure, verdict):
    runs = [{notebook: record(notebook, seed, measured=measured(seed), depths=[20, 35])} for seed in range(3)]
    found, _ = findings(runs, {}, [BY_NAME[name]])
    assert found.figures[0] == pytest.approx(figure) and len(found.figures) == 3
    assert found.verdict == verdict


def test_on_photographs_cams_gain_is_over_the_best_control():
    pointing = {"CAM, aligned": 0.7, "random map": 0.2, "centre blob": 0.6, "wrong class": 0.3, "random weights": 0.1}
    table = {name: {"pointing": value} for name, value in pointing.items()}
    found = BY_NAME["cam-localises"].photographs.figures({"seed2": {"seed": 2, "measured": {"table": table}}})
    assert found == {2: pytest.approx(0.1)}
