"""What the notebooks' texts say of scores is what the records say: in sign and order, a score to beat in its digits."""

import re
from collections.abc import Callable

import pytest

from core.files import ROOT
from core.record import read_record
from core.spread import mean_and_spread
from course.notebooks import source as notebooks
from course.records.record import NOT_RECORDED


def of_seeds(notebook: str, runs: str = "builtin_seed?") -> list[dict]:
    found = [read_record(path) for path in sorted(ROOT.glob(f"files/results/{runs}/{notebook}.json"))]
    assert len(found) == (3 if "?" in runs else 1)
    return found


def flattery(record: dict) -> float:
    return record["validation"]["mean_iou"] - record["test"]["mean_iou"]


def test_02_the_first_network_is_ahead_of_fcn32s_from_scratch_with_some_seeds_and_behind_with_others():
    first, scratch = of_seeds("01_facades"), of_seeds("02_fcn32s_scratch")
    ahead = [a["test"]["mean_iou"] > b["test"]["mean_iou"] for a, b in zip(first, scratch)]
    assert any(ahead) and not all(ahead)


def test_05_validation_is_above_test_for_32s_and_below_it_for_8s_and_far_above_it_on_photographs():
    for notebook, sign in (("02_fcn32s_scratch", 1), ("03_fcn32s_pretrained", 1), ("04_fcn8s", -1)):
        assert all(sign * flattery(record) > 0 for record in of_seeds(notebook)), notebook
        if notebook != "02_fcn32s_scratch":
            assert flattery(of_seeds(notebook, "photographs_seed0")[0]) > 0.1


def test_08_the_deeper_plain_network_trains_far_worse_and_the_deeper_residual_one_now_better_now_worse():
    gains = []
    for record in of_seeds("08_plain_vs_residual"):
        trained = {name: split["train"] for name, split in record["measured"]["accuracy"].items()}
        (shallow, deep) = sorted({int(name.split()[1]) for name in trained})
        worse = {kind: trained[f"{kind} {shallow}"] - trained[f"{kind} {deep}"] for kind in ("plain", "residual")}
        assert worse["plain"] > 0.1 > abs(worse["residual"])
        gains.append(worse["residual"])
    assert min(gains) < 0 < max(gains)


def test_09_on_hard_scenes_the_network_is_far_ahead_by_both_scores_and_elsewhere_about_level():
    for record in of_seeds("09_digit_surgery"):
        by_method = record["measured"]["scores"]
        scenes, single, baseline = (
            by_method[name] for name in ("fcn8, then scenes", "fcn8, single digits", "baseline")
        )
        for score in ("digit_mean_iou", "ink_iou"):
            assert scenes["hard"][score] > 1.3 * baseline["hard"][score]
        assert abs(scenes["single"]["digit_mean_iou"] - single["single"]["digit_mean_iou"]) < 0.02
        assert scenes["grid"]["digit_mean_iou"] > baseline["grid"]["digit_mean_iou"] - 0.005


def test_09_two_mistakes_lower_the_score_and_do_not_ruin_it():
    for record in of_seeds("09_digit_surgery"):
        careful = record["measured"]["scores"]["standardFCN, single digits"]["grid"]["digit_mean_iou"]
        assert careful / 2 < record["measured"]["as_published"]["digit_mean_iou"] < careful


def mean_iou(record: dict) -> float:
    return record["test"]["mean_iou"]


# The score that a notebook's optional last step asks to beat: a pattern of its records, and where it stands in each.
TO_BEAT: dict[str, tuple[str, Callable[[dict], float]]] = {
    "01_facades": ("builtin_seed?/01_facades.json", mean_iou),
    "02_fcn32s_scratch": ("builtin_seed?/02_fcn32s_scratch.json", mean_iou),
    "03_fcn32s_pretrained": ("builtin_seed?/03_fcn32s_pretrained.json", mean_iou),
    "04_fcn8s": ("builtin_seed?/04_fcn8s.json", mean_iou),
    "05_compare": ("builtin_seed?/05_compare.json", lambda record: record["measured"]["band mean IoU: 8s, pretrained"]),
    "06_cam": (
        "localization/seed?.json",
        lambda record: record["measured"]["table"]["CAM, aligned"]["box_accuracy_0.7"],
    ),
    "07_gradcam": ("localization/seed?.json", lambda record: record["measured"]["probability_lost"]["CAM, aligned"]),
    "08_plain_vs_residual": (
        "builtin_seed?/08_plain_vs_residual.json",
        lambda record: record["measured"]["accuracy"]["plain 20"]["test"],
    ),
    "09_digit_surgery": (
        "builtin_seed?/09_digit_surgery.json",
        lambda record: record["measured"]["scores"]["fcn8, single digits"]["grid"]["digit_mean_iou"],
    ),
    "10_fcn_backbones": (
        "builtin_seed?/10_fcn_backbones.json",
        lambda record: record["measured"]["networks"]["vgg16"]["mean_iou"],
    ),
    "11_fcn_skips": (
        "skips_at_once/seed?.json",
        lambda record: record["measured"]["networks"]["8s, at once"]["mean_iou"],
    ),
    "12_photographs": ("builtin_seed?/12_photographs.json", mean_iou),
}
BESIDE = ("seed", "at_once", "controls", "depths", "scene_steps")  # parameters that say what else the notebook trains


@pytest.mark.parametrize("notebook", TO_BEAT)
def test_the_score_to_beat_is_the_records_under_the_conditions_that_the_attempt_has(notebook):
    pattern, score = TO_BEAT[notebook]
    records = [read_record(path) for path in sorted(ROOT.glob(f"files/results/{pattern}"))]
    assert [record["seed"] for record in records] == [0, 1, 2]
    of_course = notebooks.read(notebooks.FOLDER / f"{notebook}.ipynb")
    *before, last, _ = ["" if cell.cell_type == "code" else cell.source for cell in of_course.cells]
    sections = re.findall(rf"^## {int(notebook[:2])}\.(\d+) ", "\n".join(before), re.MULTILINE)
    assert last.startswith(f"## {int(notebook[:2])}.{int(sections[-1]) + 1} For those who want more\n")

    text, values = " ".join(last.split()), [score(record) for record in records]
    assert f"{mean_and_spread(values)} over seeds 0, 1 and 2 (`files/results/{pattern}`" in text
    for told in re.findall(r"one by one ([\d., ]+)\)", text):
        assert told == ", ".join(f"{value:.3f}" for value in values)

    asked = {name: value for name, value in notebooks.defaults(of_course).items() if name not in NOT_RECORDED + BESIDE}
    for record in records:
        made = {name: value for name, value in record["parameters"].items() if name not in BESIDE}
        if record["notebook"]:
            assert made == asked
            assert "epochs" not in made or f"{made['epochs']} epoch" in text
        else:
            for split, count in made.items():
                assert f"make_pictures({count}, {split.upper()}_SEED)" in text
