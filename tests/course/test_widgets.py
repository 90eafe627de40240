"""course.widgets: what is drawn is held against torch, Matplotlib and Pillow; controls change it, and only where
somebody sits before the notebook."""

import io
from datetime import datetime
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
import torch
from IPython.display import HTML
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from cam.classifiers import Classifier, Explanation, explain
from cam.resnet import resnet18
from core.errors import CourseError
from core.photographs import IMAGENET_MEAN, IMAGENET_STD
from course.widgets import breaking, convolution, epochs, hands_on, maps, photograph, receptive_field, skips
from fcn.backbones import Trunk
from fcn.evaluation import predict
from fcn.geometry import Grid
from fcn.models import FCN8s


class Notebook:
    """Takes what is displayed, in the place of a notebook."""

    def __init__(self, monkeypatch, attended):
        self.shown, self.updates = [], []
        monkeypatch.setattr(hands_on, "display", self.display)
        monkeypatch.setattr(hands_on, "is_attended", lambda: attended)

    def display(self, what, display_id=False):
        self.shown.append(what)
        return self

    def update(self, what):
        self.updates.append(what.data)

    @property
    def controls(self):
        return self.shown[0].children


def photo(height=40, width=60) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def png(pixels: np.ndarray, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png", **options)
    return buffer.getvalue()


def title(figure: Figure, number: int = 0) -> str:
    return figure.axes[number].get_title()


# The figure and its controls


def test_without_anybody_there_is_the_figure_alone(monkeypatch):
    notebook = Notebook(monkeypatch, attended=False)
    convolution.move_windows()
    (figure,) = notebook.shown
    assert isinstance(figure, HTML) and 'alt="A row of 16 pixels' in figure.data and "data:image/png" in figure.data


def test_a_control_replaces_the_figure(monkeypatch):
    notebook = Notebook(monkeypatch, attended=True)
    convolution.move_windows()
    kernel, _, padding = notebook.controls
    kernel.value, padding.value = 5, 0
    first, second = notebook.updates
    assert "kernel 5, stride 2, padding 1" in first and "kernel 5, stride 2, padding 0" in second


def test_what_cannot_be_drawn_is_told_in_the_figures_place(monkeypatch):
    notebook = Notebook(monkeypatch, attended=True)
    classifier = Classifier(resnet18(num_classes=2, width=0.125).eval(), ["cat", "dog"], "no weights")
    maps.choose_map(classifier, photo(), ["layer3", "layer4"])
    notebook.controls[0].value = "cow"
    assert notebook.updates == ["<p>There is no class &quot;cow&quot;; choose one of cat, dog.</p>"]
    notebook.controls[0].value = "dog"
    assert "Grad-CAM of dog at layer4" in notebook.updates[-1]


@pytest.mark.parametrize("could_answer", [True, False])
def test_somebody_is_there_if_the_frontend_could_answer_a_question(monkeypatch, could_answer):
    request = {"content": {"code": "1", "allow_stdin": could_answer}}  # an execute_request of Jupyter's protocol
    monkeypatch.setattr(hands_on, "get_ipython", lambda: SimpleNamespace(get_parent=lambda: request))
    assert hands_on.is_attended() is could_answer
    monkeypatch.setattr(hands_on, "get_ipython", lambda: None)
    assert hands_on.is_attended() is False


# The drawings


@pytest.mark.parametrize("kernel, stride, padding", [(3, 2, 1), (8, 4, 0), (1, 1, 2), (4, 3, 4)])
def test_windows_are_what_a_convolution_sees(kernel, stride, padding):
    layer = nn.Conv1d(1, 1, kernel, stride, padding, bias=False)
    nn.init.ones_(layer.weight)
    row = torch.zeros(1, 1, 16, requires_grad=True)
    cells = layer(row)[0, 0]
    seen = convolution.windows(16, kernel, stride, padding)
    assert len(seen) == len(cells)
    for cell, window in zip(cells, seen):
        (gradient,) = torch.autograd.grad(cell, row, retain_graph=True)
        assert gradient[0, 0].nonzero().flatten().tolist() == [place for place in window if 0 <= place < 16]
    figure, text = convolution.draw(kernel, stride, padding)
    dots = [line.get_xdata()[0] for line in figure.axes[0].get_lines() if line.get_marker() == "o"]
    assert dots == [np.mean(window) for window in seen] and f"{len(seen)} cells" in text


def test_a_kernel_that_fits_nowhere_is_told():
    with pytest.raises(CourseError, match="A kernel of 8 doesn't fit into 4 pixels with padding 1"):
        convolution.draw(8, 1, 1, pixels=4)


def test_the_squares_are_where_the_gradient_is():
    """Of VGG-16's third pooling, at two places; weights of one let the gradient reach every pixel that is seen."""
    trunk = Trunk("vgg16", 0.125, "aligned")
    grid = receptive_field.poolings(trunk.features)["pool3"]
    layers = [nn.AvgPool2d(2) if isinstance(layer, nn.MaxPool2d) else layer for layer in trunk.features[:17]]
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.ones_(layer.weight)
    image = torch.ones(1, 3, 96, 128, requires_grad=True)
    cells = nn.Sequential(*layers)(image)[0, 0]
    for row, column in ((50, 60), (2, 127)):
        (gradient,) = torch.autograd.grad(cells[row // 8, column // 8], image, retain_graph=True)
        rows, columns = gradient[0, 0].nonzero().T
        (top, bottom), (left, right) = receptive_field.seen_along(grid, row), receptive_field.seen_along(grid, column)
        assert (rows.min(), rows.max()) == (max(top, 0), min(bottom, 95))
        assert (columns.min(), columns.max()) == (max(left, 0), min(right, 127))


def test_every_layer_has_its_square_and_its_panel():
    grids = {"early": Grid(0.5, 2, 6), "late": Grid(15.5, 32, 212)}
    figure, text = receptive_field.draw(photo(), grids, 10, 20)
    whole, *panels = figure.axes
    assert [(square.get_label(), square.get_width()) for square in whole.patches] == [("early", 6), ("late", 212)]
    assert [panel.get_title() for panel in panels] == ["early: 6 × 6", "late: 212 × 212"] and "late 212" in text


def test_a_transparent_map_leaves_the_photograph_and_an_opaque_one_its_colours():
    seen = Explanation("cat", 0.7, np.linspace(0, 1, 40 * 60).reshape(40, 60))
    clear, text = maps.draw(photo(), seen, "layer3", 0.0)
    opaque, _ = maps.draw(photo(), seen, "layer3", 1.0)
    assert (clear.axes[0].images[0].get_array() == photo()).all()
    expected = np.round(255 * matplotlib.colormaps["inferno"](seen.heat)[..., :3])
    assert (opaque.axes[0].images[0].get_array() == expected).all()
    assert title(clear) == "cat, 0.70, at layer3" and text == "Grad-CAM of cat at layer3 over a photograph."


def test_a_skip_that_is_off_counts_as_zero():
    torch.manual_seed(0)
    model = FCN8s(5, width=0.125, padding="aligned")
    for score in (model.score_pool4, model.score_pool3):
        nn.init.normal_(score.weight)
    image = torch.randn(3, 64, 64)
    assert torch.equal(skips.predict_with(model, image, True, True), predict(model, image[None])[0])
    both_on = skips.predict_with(model, image, True, True)
    without_pool3 = skips.predict_with(model, image, True, False)
    figure, text = skips.draw(model, image, without_pool3, True, False, [f"kind {n}" for n in range(5)])
    assert title(figure, 2) == "with pool4: 100% right" and "FCN-8s with pool4" in text
    nn.init.zeros_(model.score_pool3.weight)
    nn.init.zeros_(model.score_pool3.bias)
    assert torch.equal(without_pool3, predict(model, image[None])[0]) and not torch.equal(without_pool3, both_on)


def test_an_epoch_is_marked_and_its_classes_shown():
    history = [
        {"epoch": n, "train_loss": 1 / n, "validation": {"mean_iou": n / 10, "iou_per_class": [n / 4, None]}}
        for n in (1, 2, 3)
    ]
    figure, text = epochs.draw(history, 2, ["wall", "roof"])
    curves, bars, _ = figure.axes
    assert [bar.get_height() for bar in bars.patches] == [0.5, 0] and list(curves.lines[-1].get_xdata()) == [2, 2]
    assert title(figure) == "epoch 2 of 3" and text.endswith("after epoch 2; above 0.05 are wall.")


# A photograph to break


def test_a_crop_is_the_middle():
    assert (breaking.crop(photo(), 0.5) == photo()[10:30, 15:45]).all()
    with pytest.raises(CourseError, match="nothing is left of the photograph; keep more of it"):
        breaking.crop(photo(4, 4), 0.1)


def test_the_greatest_share_of_the_map_is_covered():
    heat = np.full((40, 60), np.nan)
    heat[:, 10:50] = np.arange(40 * 40).reshape(40, 40)
    covered = breaking.cover(photo(), heat, 0.25)
    changed = (covered != photo()).any(axis=2)
    assert changed[30:, 10:50].mean() > 0.99 and not changed[:30].any() and not changed[:, :10].any()
    seen_as = (covered[35, 30] / 255 - IMAGENET_MEAN.flatten().numpy()) / IMAGENET_STD.flatten().numpy()
    assert np.abs(seen_as).max() < 0.01
    assert (breaking.cover(photo(), heat, 0.0) == photo()).all()


def test_half_a_turn_is_numpys():
    assert (breaking.turn(photo(), 180) == photo()[::-1, ::-1]).all()
    assert (breaking.turn(photo(), 0) == photo()).all() and (breaking.turn(photo(), 45)[0, 0] == breaking.GREY).all()


def test_the_broken_photograph_is_named_anew():
    torch.manual_seed(0)
    classifier = Classifier(resnet18(num_classes=5, width=0.125).eval(), list("abcde"), "no weights")
    heat = explain(classifier, photo()).heat
    figure, text = breaking.draw(classifier, photo(), heat, 0.5, 0.0, 180)
    upside_down = photo()[10:30, 15:45][::-1, ::-1]
    assert (figure.axes[0].images[0].get_array() == upside_down).all()
    seen = explain(classifier, upside_down)
    assert title(figure, 1) == f"{seen.name}, {seen.probability:.2f}" and text.endswith(f"{seen.name}.")


# A photograph of one's own


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """The folder that a notebook lies in, with a photograph."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "house.png").write_bytes(png(photo()))
    return tmp_path


def test_a_photograph_is_found_beside_the_notebook_and_in_the_course(beside):
    mine = photograph.OwnPhotograph("house.png")
    assert (mine.pixels == photo()).all() and mine.path == beside / "house.png"
    assert photograph.OwnPhotograph("files/photographs/coffee.png").pixels.shape == (400, 600, 3)
    with pytest.raises(CourseError, match="There is no photograph hause.png in .*; check its name, or give its path"):
        photograph.OwnPhotograph("hause.png")


def upload(name: str, content: bytes) -> tuple[dict]:
    """What ipywidgets' FileUpload holds."""
    file = {"name": name, "type": "", "size": len(content), "content": memoryview(content)}
    return (file | {"last_modified": datetime(2026, 1, 1)},)


def test_an_uploaded_photograph_takes_the_place_of_the_one_before(beside, monkeypatch):
    notebook = Notebook(monkeypatch, attended=True)
    mine = photograph.OwnPhotograph("house.png")
    mine.choose()
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned clockwise
    (button,) = notebook.controls
    button.set_trait("value", upload("../door.png", png(photo(1500, 2000), exif=turned)))
    assert mine.pixels.shape == (1024, 768, 3) and mine.path.name == "door.png"
    assert "door.png, 768 by 1024 pixels" in notebook.updates[-1]
    assert (beside / "uploads" / "door.png").is_file() and not (beside / "door.png").exists()


@pytest.mark.parametrize(
    "name, content, problem",
    [
        ("notes.png", b"no photograph", "notes.png is not an image that can be read; give a JPEG or PNG file."),
        ("sky.png", png(np.full((9, 9, 3), 200, np.uint8)), "sky.png is one colour throughout, so there is nothing"),
    ],
    ids=["text", "one colour"],
)
def test_what_is_no_photograph_is_told_and_the_one_before_stays(beside, monkeypatch, name, content, problem):
    notebook = Notebook(monkeypatch, attended=True)
    mine = photograph.OwnPhotograph("house.png")
    mine.choose()
    notebook.controls[0].set_trait("value", upload(name, content))
    assert problem in notebook.updates[-1] and (mine.pixels == photo()).all()
    assert not (beside / "uploads" / "notes.png").exists()
