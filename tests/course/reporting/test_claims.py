"""course.reporting.claims: verdicts on made-up records whose answer is plain."""

import argparse
import dataclasses
import importlib
import shlex

import pytest
from course_samples import record

from core.errors import CourseError
from core.files import ROOT
from core.record import read_record
from course.cli import parser_of
from course.reporting.claims import facades as claims_facades
from course.reporting.claims.claim import Claim, above, in_favour
from course.reporting.claims.table import CLAIMS, claims_table, claims_text, findings

BY_NAME = {claim.name: claim for claim in CLAIMS}
SCRATCH, PRETRAINED, SKIPS = claims_facades.SCRATCH, claims_facades.PRETRAINED, claims_facades.SKIPS


def run_with(gain: float, seed: int = 0, **more) -> dict:
    """A run in which pretraining gains so much test mean IoU over 0.2."""
    return {
        SCRATCH: record(SCRATCH, seed, [0.1, 0.3, 0.2], 0.2, **more),
        PRETRAINED: record(PRETRAINED, seed, [0.2, 0.2, 0.4], 0.2 + gain, **more),
    }


def on(kind: str, name: str, runs: list[dict], recorded: dict | None = None) -> list:
    """What the claim came to on one kind of data."""
    return [found for found in findings(runs, recorded or {}, [BY_NAME[name]]) if found.kind == kind]


def finding(name: str, run: dict, recorded: list = ()):
    (found,) = on("drawings", name, [run], {str(number): each for number, each in enumerate(recorded)})
    return found


def told(kind: str, name: str, runs: list[dict], recorded: dict | None = None) -> list[str]:
    """As a report has it: a star for what is recorded."""
    return [
        str(found) + ("" if found.from_runs or not found.figures else "*") for found in on(kind, name, runs, recorded)
    ]


@pytest.mark.parametrize(
    "figures, verdict",
    [
        ([0.1, 0.2, 0.3], "reproduced"),  # standard deviation 0.1, mean 0.2
        ([0.01, 0.01, 0.4], "not settled"),  # all positive, but mean 0.14 and deviation 0.23
        ([0.5, 0.5, -0.01], "not settled"),  # mean 0.33 and deviation 0.29, but one seed disagrees
        ([-0.1, -0.2, -0.3], "refuted"),
        ([-0.1, -0.4, 0.3], "not settled"),
        ([-0.01, -0.01, -0.4], "not settled"),
        ([-0.5, -0.5, 0.01], "not settled"),  # mean beyond the deviation, but one seed disagrees
        ([0.1], "agrees"),
        ([-0.1], "disagrees"),
        ([0.0], "not settled"),
        ([0.0, 0.0], "not settled"),
    ],
)
def test_a_verdict_needs_every_seed_and_more_than_the_spread(figures, verdict):
    """And turns into its mirror image with the figures' signs."""
    mirrored = {"reproduced": "refuted", "refuted": "reproduced", "agrees": "disagrees", "disagrees": "agrees"}
    assert in_favour(figures) == verdict
    assert in_favour([-figure for figure in figures]) == mirrored.get(verdict, verdict)
    assert above(2.0)([2 + figure for figure in figures]) == verdict


def test_one_seed_is_said_to_be_one():
    found = finding("pretrained-helps", run_with(0.1))
    assert (found.ours, found.verdict) == ("+0.100 (1 seed)", "agrees")


def test_recorded_seeds_join_and_the_runs_own_wins():
    recorded = [run_with(0.9, seed=0), run_with(0.2, seed=1), run_with(0.3, seed=2)]
    found = finding("pretrained-helps", run_with(0.1), recorded)
    assert found.figures == pytest.approx({0: 0.1, 1: 0.2, 2: 0.3})
    assert (found.ours, found.verdict) == ("+0.200 ± 0.100 (3 seeds, 2 recorded)", "reproduced")


@pytest.mark.parametrize(
    "other",
    [
        run_with(0.2, seed=1, epochs=4),
        run_with(0.2, seed=1, sha256="cd" * 32),
        run_with(0.2, seed=1, weights="imagenet"),
        {SCRATCH: record(SCRATCH, 1, [0.1], 0.2)},
        {SCRATCH: record(SCRATCH, 1, [0.1], 0.2), PRETRAINED: record(PRETRAINED, 2, [0.1], 0.4)},
    ],
    ids=["epochs", "data", "weights", "half of it", "two seeds"],
)
def test_recorded_runs_under_other_conditions_do_not_count(other):
    assert list(finding("pretrained-helps", run_with(0.1), [other]).figures) == [0]


def test_a_comparison_without_the_runs_it_compares_does_not_count():
    measured = {"boundary_gain": 0.2, "interior_gain": 0.05}
    run = run_with(0.1) | {SKIPS: record(SKIPS, 0, [0.1], 0.4)}
    run["05_compare"] = record("05_compare", 0, measured=measured)
    alone = {"05_compare": record("05_compare", 1, measured=measured)}
    assert list(finding("8s-boundaries", run, [alone]).figures) == [0]


def test_the_same_data_under_another_name_counts():
    elsewhere = run_with(0.2, 1, data=".../cmp")
    assert list(finding("pretrained-helps", run_with(0.1), [elsewhere]).figures) == [0, 1]


def test_epochs_saved_are_counted_to_the_scratch_networks_best():
    run = run_with(0.1)  # scratch is best in epoch 2 with 0.3, which pretrained first reaches in epoch 3
    assert finding("pretrained-faster", run).figures == {0: -1}
    run[PRETRAINED] = record(PRETRAINED, 0, [0.3, 0.1, 0.1], 0.3)
    assert finding("pretrained-faster", run).figures == {0: 1}
    run[PRETRAINED] = record(PRETRAINED, 0, [0.1, 0.1, 0.1], 0.3)  # never, so as if in epoch 4
    assert finding("pretrained-faster", run).figures == {0: -2}


def test_the_other_facade_claims_read_their_records():
    run = run_with(0.1) | {
        SKIPS: record(SKIPS, 0, [0.1, 0.35], 0.4),
        "05_compare": record("05_compare", measured={"boundary_gain": 0.2, "interior_gain": 0.05}),
    }
    found = {f.claim.name: f for f in findings([run], {}) if f.kind == "drawings"}
    assert found["8s-beats-32s"].figures == pytest.approx({0: 0.1})
    assert found["8s-boundaries"].figures == pytest.approx({0: 0.15})
    assert found["test-figures"].figures == pytest.approx({0: -0.05})


def test_the_claims_about_the_papers_tables():
    backbones = {
        "networks": {  # the fourth doesn't count: it is none of the paper's three
            "alexnet": {"mean_iou": 0.2},
            "vgg16": {"mean_iou": 0.35},
            "googlenet": {"mean_iou": 0.3},
            "efficientnet_lite0": {"mean_iou": 0.6},
        },
        "dense": {"sliding_seconds": 6.0, "dense_seconds": 1.5},
        "any_size": [{"height": side, "width": 9} for side in (1, 2, 3, 4, 5)],
        "cost_shares": {"full width": {"upsampling": {"step": 0.1}, "convolution": {"step": 0.6}}},
    }
    stages = {
        "networks": {
            "FCN-32s": {"mean_iou": 0.1},
            "FCN-16s": {"mean_iou": 0.2},
            "FCN-8s": {"mean_iou": 0.4},
            "32s, as long": {"mean_iou": 0.15},
            "16s, as long": {"mean_iou": 0.38},
        }
    }
    run = {
        "10_fcn_backbones": record("10_fcn_backbones", measured=backbones),
        "11_fcn_skips": record("11_fcn_skips", measured=stages),
    }
    found = {f.claim.name: f for f in findings([run], {}) if f.kind == "drawings"}
    assert found["vgg-best"].figures == pytest.approx({0: 0.05})
    assert found["finer-is-better"].figures == pytest.approx({0: 0.02})  # 8s over 16s trained as long, not over 32s
    assert (found["any-size"].ours, found["any-size"].verdict) == ("4.0 times (1 seed)", "agrees")
    assert found["upsampling-costly"].figures == pytest.approx({0: -0.5})
    backbones["any_size"].pop()
    assert {f.claim.name: f for f in findings([run], {}) if f.kind == "drawings"}["any-size"].verdict == "disagrees"
    run["11_fcn_skips"]["parameters"]["controls"] = False
    del stages["networks"]["32s, as long"]  # a run without the controls says nothing
    assert {f.claim.name: f for f in findings([run], {}) if f.kind == "drawings"}[
        "finer-is-better"
    ].verdict == "not measured"


def test_what_was_not_measured_is_said_so():
    assert {f.verdict for f in findings([{}], {})} == {"not measured"}


def test_a_key_that_a_record_lacks_is_an_error():
    """It would read "not measured" else, and nobody would look for the mistyped key."""
    cut_short = run_with(0.1) | {PRETRAINED: record(PRETRAINED, 0, [0.1], None)}
    with pytest.raises(CourseError, match="pretrained-helps can't be computed: the record of .* with seed 0 lacks"):
        finding("pretrained-helps", cut_short)
    mistyped = dataclasses.replace(BY_NAME["pretrained-helps"], figure=lambda results: results[PRETRAINED]["tset"])
    with pytest.raises(CourseError, match="lacks 'tset'"):
        findings([run_with(0.1)], {}, [mistyped])


def committed() -> dict[str, dict]:
    """Three seeds on drawings that speak for pretraining, three on photographs that speak against it."""
    photographs = {"weights": "imagenet", "sha256": "cd" * 32, "data": "cmp"}
    runs = {f"builtin_seed{seed}": run_with(0.1 + 0.01 * seed, seed, weights="course") for seed in range(3)}
    runs |= {f"photographs_seed{seed}": run_with(-0.1 - 0.01 * seed, seed, **photographs) for seed in range(3)}
    for name, run in runs.items():
        for each in run.values():
            each["data"]["name"] = "cmp" if name.startswith("photographs") else "builtin"
    return runs


def test_one_claim_has_a_verdict_on_drawings_and_one_on_photographs():
    assert told("drawings", "pretrained-helps", [], committed()) == ["+0.110 ± 0.010 (3 seeds): reproduced*"]
    assert told("photographs", "pretrained-helps", [], committed()) == ["-0.110 ± 0.010 (3 seeds): refuted*"]
    (row,) = claims_table(findings([], committed(), [BY_NAME["pretrained-helps"]]), mark="*").itertuples()
    assert (row.drawings[-11:], row.photographs[-8:]) == ("reproduced*", "refuted*")


def test_a_run_stands_in_the_column_of_its_data():
    drawn = {name: each | {"parameters": each["parameters"] | {"epochs": 9}} for name, each in run_with(0.3).items()}
    assert told("drawings", "pretrained-helps", [drawn], committed()) == ["+0.300 (1 seed): agrees"]
    assert told("photographs", "pretrained-helps", [drawn], committed()) == ["-0.110 ± 0.010 (3 seeds): refuted*"]
    photographed = {name: each | {"data": each["data"] | {"name": "houses"}} for name, each in drawn.items()}
    recorded = ["+0.110 ± 0.010 (3 seeds): reproduced*"]
    assert told("drawings", "pretrained-helps", [photographed], committed()) == recorded
    assert told("photographs", "pretrained-helps", [photographed], committed()) == ["+0.300 (1 seed): agrees"]


def test_several_runs_are_joined_over_seeds_and_told_apart_by_what_else_they_differ_in():
    runs = [run_with(gain, seed, epochs=epochs) for epochs in (3, 9) for seed, gain in enumerate((0.1, 0.2, 0.3))]
    runs.append(run_with(0.9, 0, epochs=9))  # a seed counts once
    runs.append({SKIPS: record(SKIPS, 0, [0.1], 0.4)})  # without what the claim compares
    assert told("drawings", "pretrained-helps", runs, {"builtin_seed3": run_with(0.4, 3, epochs=9)}) == [
        "+0.200 ± 0.100 (3 seeds): reproduced; epochs = 3",
        "+0.250 ± 0.129 (4 seeds, 1 recorded): reproduced; epochs = 9",
    ]
    assert told("drawings", "pretrained-helps", [run_with(-0.1), run_with(0.3, 0, sha256="cd" * 32)]) == [
        "-0.100 (1 seed): disagrees; data = builtin abababab",
        "+0.300 (1 seed): agrees; data = builtin cdcdcdcd",
    ]


def test_where_no_record_exists_the_cell_says_so():
    recorded = {name: run for name, run in committed().items() if name.startswith("builtin")}
    assert told("photographs", "pretrained-helps", [], recorded) == ["not measured"]


def test_a_run_that_left_a_claim_out_leaves_its_column_to_the_records():
    networks = {"32s, as long": 0.1, "16s, as long": 0.2, "FCN-8s": 0.4}
    measured = {"networks": {name: {"mean_iou": value} for name, value in networks.items()}}
    recorded = {"builtin_seed0": {"11_fcn_skips": record("11_fcn_skips", measured=measured)}}
    run = {"11_fcn_skips": record("11_fcn_skips", controls=False)}
    assert told("drawings", "finer-is-better", [run], recorded) == ["+0.100 (1 seed): agrees*"]


def test_a_short_training_says_who_learns_faster_and_not_who_ends_up_better():
    """What few epochs show is left to `residual-faster`; the recorded, longer trainings have the word on the end."""
    name, measured = "08_plain_vs_residual", {"accuracy": {"plain 35": {"test": 0.2}, "residual 35": {"test": 0.6}}}
    short = {name: record(name, measured=measured, depths=[20, 35])}
    longer = {name: record(name, measured=measured, depths=[20, 35], epochs=12)}
    accuracies = {("none", 0): 0.7, ("identity", 0): 0.8, ("none", 1): 0.7, ("identity", 1): 0.82}
    records = {
        f"{shortcut}{seed}": {"seed": seed, "parameters": {"shortcut": shortcut}, "test": {"accuracy": accuracy}}
        for (shortcut, seed), accuracy in accuracies.items()
    }
    recorded = {"residual_builtin": records, "cifar10_jpeg": records}
    assert told("drawings", "residual-accuracy", [short], recorded) == [
        "+0.110 ± 0.014 (2 seeds): reproduced; built-in shapes, 20 layers, 12 epochs*"
    ]
    assert told("drawings", "residual-accuracy", [longer], recorded) == ["+0.400 (1 seed): agrees"]
    assert told("drawings", "residual-faster", [short], recorded) == ["+0.400 (1 seed): agrees"]
    assert told("photographs", "residual-faster", [], recorded) == [
        "+0.110 ± 0.014 (2 seeds): reproduced; CIFAR-10 in a JPEG copy, 20 layers, 5 epochs*"
    ]
    del records["identity1"]
    with pytest.raises(CourseError, match="accuracy can't be computed: the record of files/results/residual_b.* lacks"):
        told("drawings", "residual-accuracy", [], recorded)


def test_a_figure_that_is_no_number_is_an_error():
    measured = {"scores": {"standardFCN, single digits": {"grid": {"digit_mean_iou": "good"}}}}
    with pytest.raises(CourseError, match="digits-generalise can't be computed"):
        told("drawings", "digits-generalise", [{"09_digit_surgery": record("09_digit_surgery", measured=measured)}])


def test_a_terminal_gets_a_line_for_each_finding_of_the_runs():
    lines = claims_text(findings([run_with(0.1, weights="course")], committed())).splitlines()
    assert [line.split()[0] for line in lines] == ["claim", "pretrained-helps", "pretrained-faster", "Claims"]
    assert lines[1].split("  ")[-1].endswith("reproduced") and max(map(len, lines)) <= 120
    assert lines[-1].endswith(f"other notebooks: {len(CLAIMS) - 2}; docs/claims.md has what is recorded.")
    nothing = claims_text(findings([{"12_photographs": record("12_photographs")}], committed()))
    assert nothing == f"Claims that rest on other notebooks: {len(CLAIMS)}; docs/claims.md has what is recorded."


def test_every_claim_is_complete_and_its_name_unique():
    assert len(BY_NAME) == len(CLAIMS)
    for claim in CLAIMS:
        assert isinstance(claim, Claim)
        assert claim.statement and claim.source and claim.published and claim.notebooks
        for notebook in claim.notebooks:  # a mistyped name would read "not measured"
            assert (ROOT / "notebooks" / f"{notebook}.ipynb").is_file()
        for other in (claim.drawings, claim.photographs):
            for folder in other.folders if other else ():
                assert (ROOT / "files" / "results" / folder).is_dir()


def test_the_committed_records_are_readable_and_their_commands_are_known():
    for path in sorted((ROOT / "files").rglob("*.json")):
        if path.parent.name not in ("files",):
            words = shlex.split(read_record(path)["command"])
            assert words[:2] == ["python", "-m"], path
            if words[2] == "benchmarks" or words[2].startswith("benchmarks."):
                assert (ROOT / f"{words[2].replace('.', '/')}.py").is_file()
                continue
            name, *rest = words[3:] if words[2] == "course" else words[2:]
            if name.startswith("experiments."):
                parser = argparse.ArgumentParser()
                importlib.import_module(name).add_arguments(parser)
            else:
                parser = parser_of(name)
            parser.parse_args(rest)
