"""The table of recorded trainings, on made-up records."""

import json

import pytest

from core.errors import CourseError
from core.record import new_record, write_record
from residual.records import PHOTOGRAPHS, SHAPES, table


def write(folder, name, shortcut, seed, accuracy):
    scores = {"accuracy": accuracy, "loss": 1.0}
    parameters = {"depth": 20, "shortcut": shortcut, "epochs": 5, "seed": seed}
    measured = {"train": scores}
    record = new_record(
        "python -m experiments.residual", parameters, 0, validation=scores, test=scores, measured=measured
    )
    write_record(record, folder / f"{name}.json")


def test_mean_and_deviation_over_seeds(tmp_path):
    for seed, accuracy in enumerate((0.7, 0.8, 0.9)):
        write(tmp_path, f"plain_{seed}", "none", seed, accuracy)
    write(tmp_path, "residual_0", "identity", 0, 0.95)
    head, plain, residual = table(tmp_path).splitlines()
    assert plain.split() == [
        "plain",
        "20,",
        "5",
        "epochs",
        "3",
        "0.200",
        "±",
        "0.100",
        "0.800",
        "±",
        "0.100",
        "0.800",
        "±",
        "0.100",
    ]
    assert residual.split() == ["residual", "20,", "5", "epochs", "1", "0.050", "0.950", "0.950"]


def test_an_empty_folder_and_a_broken_record_are_named(tmp_path):
    with pytest.raises(CourseError, match="holds no record"):
        table(tmp_path)
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(CourseError, match="broken.json"):
        table(tmp_path)


@pytest.mark.parametrize("folder", [PHOTOGRAPHS, SHAPES], ids=lambda folder: folder.name)
def test_the_committed_records_are_of_one_data_set_and_one_recipe(folder):
    records = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    assert len({record["data"]["sha256"] for record in records}) == 1
    recipes = [
        {name: value for name, value in record["parameters"].items() if name not in ("seed", "shortcut")}
        for record in records
    ]
    assert all(recipe == recipes[0] for recipe in recipes)
