"""What the notebooks' texts say of scores, without giving them, is what the records say: in sign and in order."""

from core.files import ROOT
from core.record import read_record


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


def test_08_the_deeper_plain_network_trains_worse_and_the_deeper_residual_one_less_so():
    for record in of_seeds("08_plain_vs_residual"):
        trained = {name: split["train"] for name, split in record["measured"]["accuracy"].items()}
        (shallow, deep) = sorted({int(name.split()[1]) for name in trained})
        worse = {kind: trained[f"{kind} {shallow}"] - trained[f"{kind} {deep}"] for kind in ("plain", "residual")}
        assert worse["plain"] > max(0.0, worse["residual"])


def test_09_on_hard_scenes_the_network_names_digits_better_and_does_not_find_ink_better_in_every_seed():
    scores = [record["measured"]["scores"] for record in of_seeds("09_digit_surgery")]
    hard = [{method: of_kind["hard"] for method, of_kind in each.items()} for each in scores]
    assert all(each["fcn8, then scenes"]["digit_mean_iou"] > each["baseline"]["digit_mean_iou"] for each in hard)
    assert any(each["fcn8, then scenes"]["ink_iou"] < each["baseline"]["ink_iou"] for each in hard)


def test_09_two_mistakes_lower_the_score_and_do_not_ruin_it():
    for record in of_seeds("09_digit_surgery"):
        careful = record["measured"]["scores"]["standardFCN, single digits"]["grid"]["digit_mean_iou"]
        assert careful / 2 < record["measured"]["as_published"]["digit_mean_iou"] < careful
