"""Windows lie where they are drawn to lie, labels on their pixels; every image is in one batch of its like."""

import cv2
import numpy as np
import pytest
import torch
from samples import write_pair

from core.photographs import denormalise
from fcn import windows
from fcn.batches import Batches, draw_order
from fcn.dataset import VOID, CMPFacade
from fcn.metrics import boundary_band
from fcn.windows import DRAWS, Windows


class Painted:
    """Photographs that show their own labels: each class a grey level of its own, in blocks."""

    def __init__(self, height: int, width: int) -> None:
        blocks = np.random.default_rng(0).integers(0, 12, (-(-height // 16), -(-width // 16))).astype(np.uint8)
        self.label = np.kron(blocks, np.ones((16, 16), np.uint8))[:height, :width]

    def __len__(self) -> int:
        return 1

    def pixels(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return np.repeat(20 * self.label[..., None], 3, axis=2), self.label


def first(mirror: float = 1.0, down: float = 0.0, across: float = 0.0) -> tuple[int, list[float]]:
    """The first photograph, and what is drawn for its window, each 0..1."""
    return 0, [down, across, 0.5, mirror, 0.5, 0.5]


def levels(image: torch.Tensor) -> np.ndarray:
    """The classes that a window of `Painted` shows."""
    return np.rint(denormalise(image)[..., 0] * 255 / 20).astype(int)


@pytest.mark.parametrize("seed", range(6))
def test_labels_lie_on_their_pixels_at_every_scale(seed, monkeypatch):
    monkeypatch.setattr(windows, "LIGHT", 0.0)
    torch.manual_seed(seed)
    image, label = Windows(Painted(300, 280), 129)[0, torch.rand(DRAWS).tolist()]
    inside = ~boundary_band(label[None], 2)[0].numpy() & (label != VOID).numpy()
    assert inside.mean() > 0.3
    assert (levels(image)[inside] == label.numpy()[inside]).all()


def test_at_scale_one_a_window_is_the_crop_itself(monkeypatch):
    monkeypatch.setattr(windows, "SCALES", (1.0, 1.0))
    painted = Painted(200, 150)
    image, label = Windows(painted, 100)[first(down=1.0, across=0.5)]
    assert np.array_equal(label.numpy(), painted.label[100:, 25:125]) and np.array_equal(levels(image), label.numpy())
    _, mirrored = Windows(painted, 100)[first(down=1.0, across=0.5, mirror=0.0)]
    assert np.array_equal(mirrored.numpy(), painted.label[100:, 25:125][:, ::-1])


def test_twice_as_large_is_what_opencv_makes_twice_as_large(monkeypatch):
    monkeypatch.setattr(windows, "SCALES", (2.0, 2.0))
    painted = Painted(60, 60)
    image, _ = Windows(painted, 120)[first()]
    larger = cv2.resize(painted.pixels(0)[0], (120, 120), interpolation=cv2.INTER_LINEAR)
    difference = np.abs(denormalise(image) * 255 - larger)[1:-1, 1:-1]  # at the edge OpenCV repeats, a window fades
    assert difference.max() <= 1.5


@pytest.mark.parametrize("brightness, contrast", [(0.5, 0.5), (0.9, 0.1)])
def test_what_lies_beyond_the_photograph_is_void_and_mean_grey_in_any_light(brightness, contrast, monkeypatch):
    monkeypatch.setattr(windows, "SCALES", (1.0, 1.0))
    image, label = Windows(Painted(40, 50), 64)[0, [0.0, 0.0, 0.5, 1.0, brightness, contrast]]
    assert (label[40:] == VOID).all() and (label[:, 50:] == VOID).all() and (label[:40, :50] != VOID).all()
    assert not image[:, 40:].any() and not image[:, :, 50:].any() and image[:, :40, :50].abs().min() > 0


def test_a_seed_draws_the_same_windows_in_the_same_order(small_facades):
    def read() -> list[torch.Tensor]:
        torch.manual_seed(3)
        batches = Batches(CMPFacade(small_facades, "train"), 4, 33, torch.device("cpu"))
        assert len(batches) == 2
        return [torch.cat([image.flatten(), label.flatten()]) for image, label in batches]

    first, second = read(), read()
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_photographs_are_written_with_their_labels(tmp_path):
    """The windows of files, not only of arrays: a real pair of photograph and palette PNG."""
    for folder in ("base", "extended"):
        (tmp_path / folder).mkdir()
    write_pair(tmp_path / "base", "cmp_b0001", 80, 64, 0)
    (tmp_path / "splits.json").write_text('{"train": 1, "validation": 0, "test": 0}')
    image, label = Windows(CMPFacade(tmp_path, "train", scale=1.0), 65)[first()]
    assert image.shape == (3, 65, 65) and label.shape == (65, 65) and set(label.unique().tolist()) <= {*range(12), VOID}


def test_every_image_is_drawn_once_with_its_like():
    sizes = [(100, 50 + 7 * (n % 30)) for n in range(301)]
    torch.manual_seed(0)
    batches, again = draw_order(sizes, 4), draw_order(sizes, 4)
    assert sorted(index for batch in batches for index in batch) == list(range(301)) and batches != again

    def padded(batches):
        return sum(len(batch) * max(sizes[index][1] for index in batch) for batch in batches)

    by_order = padded([list(range(first, min(first + 4, 301))) for first in range(0, 301, 4)])
    drawn = padded([torch.randperm(301).tolist()[first : first + 4] for first in range(0, 301, 4)])
    assert padded(batches) < min(by_order, drawn)
