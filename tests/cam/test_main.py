"""Classifiers, explanations and the command line, on the course's own small network."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torchvision.models import ResNet18_Weights

from cam.classifiers import CLASS_NAMES, class_number, explain, load_classifier, load_small
from cam.explain import SHORTER
from cam.pictures import PATTERNS, make_pictures
from core.errors import CourseError
from core.files import ROOT
from core.photographs import read_photograph
from course.cli import main

CHELSEA = ROOT / "files" / "photographs" / "chelsea.png"


@pytest.fixture(scope="module")
def picture():
    return make_pictures(6, seed=7)


def test_class_names_are_torchvisions():
    assert json.loads(CLASS_NAMES.read_text()) == ResNet18_Weights.IMAGENET1K_V1.meta["categories"]


def test_class_numbers():
    assert class_number("Dotted", PATTERNS) == 2
    with pytest.raises(CourseError, match='did you mean "zigzag"'):
        class_number("zig-zag", PATTERNS)
    with pytest.raises(CourseError, match="no network of seed 99; choose 0, 1 or 2"):
        load_small(99)


def test_an_explanation_lies_on_the_objects_pixels(picture):
    """Each picture, doubled and framed, is a photograph whose view is the picture: most of the heat lies on it."""
    classifier = load_small()
    for image, mask, label in zip(picture.images, picture.masks, picture.labels):
        photograph = np.pad(_doubled(image), ((32, 32), (82, 82), (0, 0)), mode="reflect")  # 512 high, 612 wide
        on_object = np.pad(_doubled(mask), ((32, 32), (82, 82)))
        for layer in (None, "layer4"):
            heat = explain(classifier, photograph, PATTERNS[label], layer).heat
            seen = ~np.isnan(heat)
            assert seen[32:480, 82:530].all() and seen.sum() == 448 * 448
            assert heat[on_object].mean() > 2 * heat[seen & ~on_object].mean()


def _doubled(pixels: np.ndarray) -> np.ndarray:
    return pixels.repeat(2, axis=0).repeat(2, axis=1)


def test_nan_in_the_network_is_one_sentence(picture):
    classifier = load_small()
    with torch.no_grad():
        classifier.model.fc.bias[0] = float("nan")
    with pytest.raises(CourseError, match="not a number"):
        explain(classifier, picture.images[0])


def test_where_torchvisions_weights_cannot_be_fetched_it_says_so(monkeypatch):
    def no_network(*_args, **_keywords):
        raise CourseError("ImageNet's weights can't be fetched (no network); go online once.")

    monkeypatch.setattr("cam.resnet.fetch_state", no_network)
    with pytest.raises(CourseError, match="can't be fetched.*no network"):
        load_classifier("imagenet")


def test_with_network_resnet18_has_torchvisions_weights(monkeypatch):
    torch.manual_seed(0)
    state = torchvision.models.resnet18().state_dict()
    monkeypatch.setattr("cam.resnet.fetch_state", lambda weights: state)
    classifier = load_classifier("imagenet")
    assert classifier.source.startswith("ResNet-18, ImageNet weights") and len(classifier.classes) == 1000
    assert torch.equal(classifier.model.fc.weight, state["fc.weight"])


def test_the_command_line_writes_the_map(tmp_path, capsys):
    out = tmp_path / "map.png"
    assert main(["explain", str(CHELSEA), "--out", str(out), "--weights", "small", "--class", "striped"]) == 0
    assert "striped, 0." in capsys.readouterr().out and Image.open(out).width > 1000
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["absent.png"], "no file"),
        ([str(CHELSEA), "--class", "stripy"], 'did you mean "striped"'),
        ([str(CHELSEA), "--layer", "layer9"], 'no layer "layer9"'),
        ([str(CHELSEA), "--weights", str(CHELSEA)], "not a whole file of weights"),
        ([str(CHELSEA), "--out", "map.xyz"], "not a kind of picture"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "--weights", "small", "--out", "map.png", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and words in captured.err and captured.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_large_photograph_is_reduced_and_named_alike(tmp_path, capsys):
    """Of 12 megapixels a network sees 50,000 pixels; no more than a few times as many are kept."""
    Image.open(CHELSEA).convert("RGB").resize((4510, 3000)).save(tmp_path / "large.jpg", quality=95)
    assert min(read_photograph(tmp_path / "large.jpg", SHORTER).shape[:2]) < 2 * SHORTER
    said = []
    for path in (CHELSEA, tmp_path / "large.jpg"):
        assert main(["explain", str(path), "--layer", "bn2", "--class", "tabby"]) == 0
        said.append(float(capsys.readouterr().out.split("tabby, ")[1][:4]))
    assert said[0] == pytest.approx(said[1], abs=0.1)


def test_without_a_file_it_only_names_what_it_sees(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["explain", str(CHELSEA), "--weights", "small"]) == 0
    assert "small course weights" in capsys.readouterr().out and not list(tmp_path.iterdir())


def test_the_photograph_itself_is_not_overwritten(capsys):
    assert main(["explain", str(CHELSEA), "--weights", "small", "--out", str(CHELSEA)]) == 2
    assert "is the photograph" in capsys.readouterr().err


def test_python_m_cam_is_the_short_way(tmp_path):
    ended = subprocess.run([sys.executable, "-m", "cam", str(CHELSEA)], capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 0 and "cat" in ended.stdout and "EfficientNet-Lite0" in ended.stdout
