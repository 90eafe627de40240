"""`python -m fcn`: a photograph of one's own, and what a user may get wrong."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from core.checkpoint import save_weights
from fcn.__main__ import segment
from fcn.models import FCN8s, from_weights


@pytest.fixture
def weights(tmp_path):
    save_weights(FCN8s(width=0.125, padding="aligned"), tmp_path / "best.safetensors")
    return tmp_path / "best.safetensors"


def run(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "fcn", *map(str, arguments)], capture_output=True, text=True)


def test_segments_a_photograph_of_any_size(weights, tmp_path):
    Image.fromarray(np.zeros((61, 90, 3), dtype=np.uint8)).save(tmp_path / "house.png")
    result = run(tmp_path / "house.png", "--weights", weights, "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert Image.open(tmp_path / "out" / "house_segmented.png").size[0] > 200


def test_names_vocs_classes_for_a_network_of_21(tmp_path):
    Image.fromarray(np.zeros((61, 90, 3), dtype=np.uint8)).save(tmp_path / "dog.png")
    figure = segment(FCN8s(21, width=0.125, padding="aligned"), tmp_path / "dog.png", 0.5)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["background"]


@pytest.mark.parametrize("photograph, message", [("missing.jpg", "There is no file"), ("text.jpg", "not an image")])
def test_user_mistakes_are_one_sentence(weights, tmp_path, photograph, message):
    (tmp_path / "text.jpg").write_text("no picture")
    result = run(tmp_path / photograph, "--weights", weights)
    assert result.returncode == 2 and message in result.stderr and "Traceback" not in result.stderr


def test_weights_say_which_network_they_are_for(weights):
    assert from_weights(weights).configuration == FCN8s(width=0.125, padding="aligned").configuration
