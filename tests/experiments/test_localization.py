"""The localisation table on a few pictures."""

from core import command
from core.record import read_record
from experiments import localization


def test_a_record_for_each_seed(tmp_path):
    words = ["--seeds", "1", "--validation", "6", "--test", "6", "--out", str(tmp_path)]
    assert command.main(localization, "python -m experiments.localization", words) == 0
    measured = read_record(tmp_path / "seed1.json")["measured"]
    assert measured["table"]["oracle mask at the map's resolution"]["pointing"] == 1
    assert set(measured["probability_lost"]) < set(measured["table"])
