"""`course sheet`: photographs beside what trained networks make of them."""

import pytest
from PIL import Image

from core.checkpoint import save_weights
from course.cli import main
from fcn.models import FCN8s


@pytest.fixture
def weights(tmp_path):
    save_weights(FCN8s(width=0.125, padding="aligned"), tmp_path / "best.safetensors")
    return tmp_path / "best.safetensors"


def test_a_row_for_each_photograph_and_two_panels_for_each_network(weights, small_facades, tmp_path):
    words = ["sheet", f"a={weights}", f"b={weights}", "--data", str(small_facades), "--split", "test", "--images", "0"]
    assert main([*words, "--out", str(tmp_path / "one.png")]) == 0
    assert main([*words, "1", "--out", str(tmp_path / "two.png")]) == 0
    one, two = (Image.open(tmp_path / name).size for name in ("one.png", "two.png"))
    assert one[0] == two[0] > 700 and two[1] > one[1] + 100


@pytest.mark.parametrize(
    "words, message",
    [
        (["best.safetensors"], "names no network; give TITLE=FILE"),
        (["a=missing.safetensors", "--images", "0"], "There are no weights at missing.safetensors"),
        (["a=WEIGHTS", "--images", "2"], "There is no image 2; the val split has 0 to 1"),
        (["a=WEIGHTS", "--out", "/dev/null/x/y.png"], "Cannot write"),
    ],
)
def test_mistakes_are_one_sentence(words, message, weights, small_facades, tmp_path, capsys):
    words = [word.replace("WEIGHTS", str(weights)) for word in words]
    assert main(["sheet", "--data", str(small_facades), "--out", str(tmp_path / "sheet.png"), *words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
