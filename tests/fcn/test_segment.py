"""`python -m fcn`: a photograph of one's own, and what a user may get wrong."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from core.checkpoint import save_weights
from course.cli import main
from fcn.models import FCN8s
from fcn.segment import segment


@pytest.fixture
def weights(tmp_path):
    save_weights(FCN8s(width=0.125, padding="aligned"), tmp_path / "best.safetensors")
    return tmp_path / "best.safetensors"


def test_segments_a_photograph_of_any_size(weights, tmp_path):
    Image.fromarray(np.zeros((61, 90, 3), dtype=np.uint8)).save(tmp_path / "house.png")
    words = [tmp_path / "house.png", "--weights", weights, "--out", tmp_path / "out"]
    result = subprocess.run([sys.executable, "-m", "fcn", *map(str, words)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert Image.open(tmp_path / "out" / "house_segmented.png").size[0] > 200


def test_names_the_classes_that_the_weights_name(tmp_path):
    Image.fromarray(np.zeros((61, 90, 3), dtype=np.uint8)).save(tmp_path / "dog.png")
    model = FCN8s(21, width=0.125, padding="aligned")
    for classes, shown in ((None, "class 0"), ([f"kind {number}" for number in range(21)], "kind 0")):
        if classes:
            model.metadata["classes"] = classes
        figure = segment(model, tmp_path / "dog.png", 0.5)
        assert [text.get_text() for text in figure.legends[0].get_texts()] == [shown]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--scale", "0"], "--scale is 0.0"),
        (["--scale", "-1"], "--scale is -1.0"),
        (["--scale", "nan"], "--scale is nan"),
        (["--scale", "1e-9"], "has no pixel left"),
        (["--out", "/dev/null/x"], "Cannot write to"),
    ],
)
def test_arguments_that_cannot_be(weights, tmp_path, capsys, arguments, message):
    Image.fromarray(np.zeros((61, 90, 3), dtype=np.uint8)).save(tmp_path / "house.png")
    words = ["segment", str(tmp_path / "house.png"), "--weights", str(weights), "--out", str(tmp_path), *arguments]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_two_photographs_of_one_name_do_not_overwrite_each_other(weights, tmp_path, capsys):
    for name in ("good.png", "good.jpg"):
        Image.fromarray(np.zeros((61, 90, 3), dtype=np.uint8)).save(tmp_path / name)
    words = [str(tmp_path / "good.png"), str(tmp_path / "good.jpg"), "--weights", str(weights), "--out", str(tmp_path)]
    assert main(["segment", *words]) == 2
    assert "2 of the photographs would be written to" in capsys.readouterr().err
    assert not list(tmp_path.glob("*_segmented*"))


@pytest.mark.parametrize("photograph, message", [("missing.jpg", "There is no file"), ("text.jpg", "not an image")])
def test_user_mistakes_are_one_sentence(weights, tmp_path, capsys, photograph, message):
    (tmp_path / "text.jpg").write_text("no picture")
    assert main(["segment", str(tmp_path / photograph), "--weights", str(weights), "--out", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err
