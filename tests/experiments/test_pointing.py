"""The localisation table on photographs: its parts by hand and by scikit-learn, and the whole on a small folder."""

import copy

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from torch.nn.functional import interpolate
from voc_samples import write_boxed_voc

from cam.efficientnet import EfficientNetLite0, SecondHalf
from cam.gradcam import grad_cam
from cam.localization import widened
from cam.view import seen_size, whole
from core import command
from core.record import read_record
from experiments import pointing
from experiments.pointing import class_mean, score, shift
from experiments.voc_head import CLASSES, UNSURE, average_precisions, fit_head, presence
from experiments.voc_maps import Cells, Mapped, Target, mapped, targets_of
from fcn.geometry import Grid
from fcn.voc import VOC_CLASSES, VOCObject, boxed_photographs


def main(words: list[str]) -> int:
    return command.main(pointing, "python -m experiments.pointing", words)


EXACT = {"rtol": 0, "atol": 1e-12}
CAT, DOG, PERSON = (VOC_CLASSES.index(name) for name in ("cat", "dog", "person"))


def test_each_side_of_a_photograph_becomes_the_nearest_32_k_plus_1():
    assert seen_size((375, 500), 321) == (225, 321) and seen_size((500, 333), 321) == (321, 225)
    assert seen_size((4, 900), 321) == (33, 321)
    assert whole(np.zeros((375, 500, 3), np.uint8), 321).shape == (1, 3, 225, 321)


def test_targets_by_hand():
    objects = [
        VOCObject(CAT, (0, 0, 10, 5), False),
        VOCObject(CAT, (5, 0, 15, 5), True),  # counts where the class is found, though not for its presence
        VOCObject(DOG, (0, 5, 20, 10), False),
        VOCObject(PERSON, (19, 9, 20, 10), True),
    ]
    cat, dog = targets_of(objects, (10, 20))
    assert (cat.label, dog.label) == (CAT - 1, DOG - 1) and cat.boxes == [(0, 0, 10, 5), (5, 0, 15, 5)]
    assert cat.mask.sum() == 75 and cat.mask[:5, :15].all()
    assert not cat.difficult and not dog.difficult  # 75 and 100 of 200 pixels
    (alone,) = targets_of([VOCObject(CAT, (0, 0, 4, 4), False)], (10, 20))
    assert not alone.difficult  # small, but nothing distracts
    (small, _) = targets_of([VOCObject(CAT, (0, 0, 4, 4), False), objects[2]], (10, 20))
    assert small.difficult
    table = presence([("", objects), ("", [])])
    assert table[0, CAT - 1] == table[0, DOG - 1] == 1 and table[0, PERSON - 1] == UNSURE
    assert (table != 0).sum() == 3


def test_the_tolerance_by_hand():
    mask = np.zeros((40, 40), bool)
    mask[20, 20] = True
    wide = widened(mask, 15)
    assert wide[20, 34] and not wide[20, 35] and wide[29, 30] and not wide[31, 31]  # sqrt(181) < 15 < sqrt(242)
    assert widened(np.ones((3, 3), bool), 15).all()


def test_the_head_is_scikit_learns_and_has_not_seen_what_chooses():
    rng = np.random.default_rng(0)
    present = (rng.random((200, len(CLASSES))) < 0.3).astype(int)
    features = (present @ rng.normal(size=(len(CLASSES), 30)) + rng.normal(size=(200, 30))).astype(np.float32)
    present[::7, 3] = UNSURE
    head, other = fit_head(features, present, 0), fit_head(features, present, 1)
    assert len(head.held_out) == 40 and set(head.held_out) != set(other.held_out)
    learned = np.setdiff1d(np.arange(200), head.held_out)
    sure = learned[present[learned, 3] != UNSURE]
    order = np.random.default_rng(0).permutation(200)[40:]  # the solver's last digits depend on the order
    sure = order[np.isin(order, sure)]
    expected = LogisticRegression(C=head.strength, max_iter=1000).fit(features[sure], present[sure, 3])
    logits = head.linear(torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(logits[:, 3], expected.decision_function(features), rtol=1e-4, atol=1e-4)
    precisions = average_precisions(logits, present)
    counted = present[:, 3] != UNSURE
    assert precisions["boat"] == average_precision_score(present[counted, 3], logits[counted, 3])


def test_cells_are_put_on_the_photographs_pixels():
    cells = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(0))
    same = Cells(cells, Grid(0, 32)).on((65, 97), (65, 97))
    np.testing.assert_allclose(same[:, ::32, ::32], cells, atol=1e-6)
    # Enlarged three times, the middle of pixel 32 j of the input is the middle of pixel 96 j + 1.
    np.testing.assert_allclose(Cells(cells, Grid(0, 32)).on((195, 291), (65, 97))[:, 1::96, 1::96], cells, atol=1e-5)
    resized = interpolate(cells[None], (50, 70), mode="bilinear", align_corners=False)[0]
    np.testing.assert_allclose(Cells(cells, None).on((50, 70), (65, 97)), resized, atol=1e-6)


@pytest.fixture(scope="module")
def network() -> EfficientNetLite0:
    torch.manual_seed(0)
    model = EfficientNetLite0(len(CLASSES)).double().eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.fill_(0.1)  # so that an untrained network's features don't fade away
    return model


def test_the_rest_of_the_network_gives_the_whole_networks_answers_and_maps(network):
    x = torch.randn(2, 3, 97, 65, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    rest = SecondHalf(network)
    with torch.no_grad():
        halfway = network.halfway(x)
        for found, expected in zip(rest(halfway), network(x)):
            torch.testing.assert_close(found, expected, **EXACT)
    classes = torch.tensor([[3, 5, 11], [0, 1, 2]])
    maps = grad_cam(rest, halfway, classes, "start")
    torch.testing.assert_close(maps, grad_cam(network, x, classes, "blocks.4"), **EXACT)
    for place in range(3):
        torch.testing.assert_close(maps[:, place], grad_cam(rest, halfway, classes[:, place], "start"), **EXACT)


def _mapped(values: torch.Tensor, target: Target) -> Mapped:
    shape = target.mask.shape
    return Mapped(shape, shape, [target], {"row": Cells(values[None], None)})


def test_scores_by_hand():
    """Two targets of one class, one of another: the peak on, beside, and far from the box."""
    objects = [VOCObject(CAT, (40, 40, 80, 80), False), VOCObject(DOG, (100, 0, 120, 20), False)]
    cat, dog = targets_of(objects, (160, 160))
    on, near, far = torch.zeros(3, 160, 160)
    on[40:80, 40:80] = 1
    near[50:60, 88:92] = 1  # 8 pixels beside the cat's box
    far[150:, 150:] = 1
    table, counts = score(iter([_mapped(on, cat), _mapped(near, cat), _mapped(far, dog)]), {"row": 0.5})
    assert counts == {"targets": 3, "difficult_targets": 3}
    row = table["row"]
    assert row["pointing"] == pytest.approx((1 / 2 + 0) / 2) == row["pointing_difficult"]
    assert row["pointing_15px"] == pytest.approx((1 + 0) / 2)
    assert row["box_accuracy_0.5"] == pytest.approx((1 / 2 + 0) / 2)
    assert class_mean(np.array([1.0, 0.0, 0.5]), np.array([4, 4, 7])) == 0.5


def test_the_shift_by_hand():
    values = np.zeros((40, 40))  # every fourth pixel of 160 × 160
    values[10:20, 15:25] = 1  # its middle at 78 across and 58 down
    one = Mapped((160, 160), (80, 80), [], {})
    assert shift(values, (60, 50, 81, 71), one) == pytest.approx(((78 - 70) / 2, (58 - 60) / 2))


def test_every_row_has_a_map_for_every_target(network, tmp_path):
    write_boxed_voc(tmp_path, {"train": [[("cat", (3, 4, 20, 25), False), ("dog", (30, 5, 50, 30), False)]]})
    photographs = boxed_photographs(tmp_path, "train", "2007")
    model = copy.deepcopy(network).float()
    with torch.no_grad():
        halfway = [model.halfway(whole(np.zeros((40, 60, 3), np.uint8), 321)).half()]
    rows = next(mapped(SecondHalf(model), photographs, halfway, [torch.rand(20, 7, 11)], 0)).rows
    for name, cells in rows.items():
        assert cells.on((40, 60), (225, 321)).shape == (2, 40, 60), name


def test_the_command_on_a_small_folder(tmp_path, capsys):
    """Two classes a photograph, so that each is often enough in the part that is learned from."""
    boxes = ((3, 4, 20, 25), (30, 5, 50, 35))
    photographs = [
        [(CLASSES[number % 20], boxes[0], False), (CLASSES[(number + 7) % 20], boxes[1], False)] for number in range(40)
    ]
    write_boxed_voc(tmp_path, {"train": photographs, "val": photographs[:20]})
    assert main(["--data", str(tmp_path), "--seeds", "3", "--out", str(tmp_path)]) == 0
    record = read_record(tmp_path / "seed3.json")
    table = record["measured"]["table"]
    assert record["seed"] == 3 and str(tmp_path) not in record["command"]
    assert record["measured"]["targets"] == 40 and len(record["measured"]["average_precision"]) == 20
    assert table["oracle boxes at the map's resolution"]["pointing"] > 0.9 > table["random map"]["pointing"]
    assert main(["--data", str(tmp_path / "VOCdevkit")]) == 2
    assert "train.txt is not there" in capsys.readouterr().err
