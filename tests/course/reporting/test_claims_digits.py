"""The two claims about digits, on hand-made records."""

import pytest

from course.reporting.claims import digits as claims_digits
from course.reporting.claims.measure import measure


def _record(seed: int, standard: float, fcn8: float, grid: float) -> dict:
    scores = {
        "standardFCN, single digits": {"single": {"mean_iou": standard}, "grid": {"digit_mean_iou": grid}},
        "fcn8, single digits": {"single": {"mean_iou": fcn8}, "grid": {"digit_mean_iou": 0.9}},
    }
    return {
        "09_digit_surgery": {
            "notebook": "09_digit_surgery",
            "parameters": {"seed": seed},
            "seed": seed,
            "data": None,
            "measured": {"weights": "none", "scores": scores},
        }
    }


def verdicts(*runs: dict) -> dict[str, str]:
    return {found.claim.name: found.verdict for found in measure(runs[0], runs[1:], claims_digits.CLAIMS)}


def test_figures_and_verdicts_from_three_seeds():
    runs = [_record(0, 0.88, 0.96, 0.42), _record(1, 0.86, 0.97, 0.45), _record(2, 0.87, 0.95, 0.48)]
    worse, generalise = measure(runs[0], runs[1:], claims_digits.CLAIMS)
    assert list(worse.figures.values()) == pytest.approx([-0.08, -0.11, -0.08]) and worse.verdict == "refuted"
    assert list(generalise.figures.values()) == [0.42, 0.45, 0.48] and generalise.verdict == "refuted"
    assert generalise.own_figure() == "0.450 ± 0.030 (3 seeds, 2 recorded)"


def test_other_verdicts():
    good, bad = [_record(seed, 0.97, 0.94 - 0.001 * seed, 0.6) for seed in (0, 1)], _record(1, 0.9, 0.95, 0.4)
    assert verdicts(*good) == {"fcn8-digits-worse": "reproduced", "digits-generalise": "reproduced"}
    assert verdicts(good[0], bad) == {"fcn8-digits-worse": "not settled", "digits-generalise": "not settled"}
    assert verdicts(bad) == {"fcn8-digits-worse": "disagrees", "digits-generalise": "disagrees"}
    assert set(verdicts({}).values()) == {"not measured"}
