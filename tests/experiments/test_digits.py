"""The digit experiment at a few steps: the same command gives the same record and weights."""

from core import command
from core.record import read_record
from experiments import digits
from fcn.digits.data import DigitSplits, load_digits
from fcn.digits.experiment import STAGES, STEPS, Steps
from fcn.digits.networks import NETWORKS, weights_file


def test_the_same_command_gives_the_same_scores(tmp_path, monkeypatch):
    splits = load_digits("builtin")
    few = DigitSplits("builtin", splits.train.first(64), splits.validation.first(30), splits.test.first(30))
    monkeypatch.setattr(digits, "load_digits", lambda _: few)
    monkeypatch.setitem(STEPS, "builtin", Steps(classifier=3, single=3, scenes=2, grids=2))
    reports = []
    for name in ("first", "second"):
        words = ["--scenes", "6", "--out", str(tmp_path / name), "--weights", str(tmp_path / name)]
        assert command.main(digits, "python -m experiments.digits", words) == 0
        report = read_record(tmp_path / name / "seed0.json")
        assert report.pop("wall_time") > 0
        reports.append(report)
    assert reports[0] == reports[1]
    assert set(reports[0]["measured"]["test"]) == {"classifier accuracy", "baseline"} | {
        f"{name}, trained on {stage}" for name in NETWORKS for stage in STAGES
    }
    for name in ("classifier", "standardFCN", "fcn8"):
        first, second = (weights_file(tmp_path / folder, name).read_bytes() for folder in ("first", "second"))
        assert first == second and len(first) < 2_000_000
