"""The two claims about maps, on hand-made records."""

import pytest

from course.reporting.claims.measure import CLAIMS, measure


def _record(seed: int, cam: float, blob: float, plain: float, residual: float) -> dict:
    pointing = {"CAM, aligned": cam, "random map": 0.1, "centre blob": blob, "wrong class": 0.2, "random weights": 0.1}
    networks = {"plain": {"spread": plain}, "residual": {"spread": residual}}
    return {
        "07_gradcam": {
            "notebook": "07_gradcam",
            "parameters": {"seed": seed},
            "seed": seed,
            "data": None,
            "measured": {"weights": "course", "pointing": pointing, "networks": networks},
        }
    }


def test_verdicts_from_three_seeds():
    runs = [_record(0, 0.9, 0.3, 0.80, 0.70), _record(1, 0.8, 0.3, 0.82, 0.70), _record(2, 0.9, 0.4, 0.81, 0.70)]
    claims = [claim for claim in CLAIMS if claim.name in ("cam-localises", "resnet-diffuse")]
    localises, diffuse = measure(runs[0], runs[1:], claims)
    assert [localises.figures[seed] for seed in (0, 1, 2)] == pytest.approx([0.6, 0.5, 0.5])
    assert localises.verdict == "reproduced"
    assert [diffuse.figures[seed] for seed in (0, 1, 2)] == pytest.approx([-0.1, -0.12, -0.11])
    assert diffuse.verdict == "refuted"


def test_without_the_notebook_they_are_not_measured():
    assert {f.verdict for f in measure({}, []) if f.claim.name in ("cam-localises", "resnet-diffuse")} == {
        "not measured"
    }


def test_on_photographs_the_gain_is_over_the_best_control():
    (claim,) = (claim for claim in CLAIMS if claim.name == "cam-localises")
    table = {
        "CAM, aligned": {"pointing": 0.7},
        "random map": {"pointing": 0.2},
        "centre blob": {"pointing": 0.6},
        "wrong class": {"pointing": 0.3},
        "random weights": {"pointing": 0.1},
    }
    found = claim.photographs.figures({"seed2": {"seed": 2, "measured": {"table": table}}})
    assert found == {2: pytest.approx(0.1)}
