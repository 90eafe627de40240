"""fcn.stages and fcn.recipes: where a finer network starts, going on from any stage, and the paper's numbers."""

import dataclasses

import pytest
import torch
from samples import same_weights
from torch import nn
from torch.nn import functional

from core.errors import CourseError
from core.training import seed_everything
from course.checks import CheckFailed, check_same_start
from fcn.dataset import CMPFacade
from fcn.models import FCN8s, FCN16s, FCN32s, from_weights
from fcn.recipes import Training, recipe
from fcn.stages import fit_in_stages, refine, train_longer
from fcn.trainer import best_epoch

QUICK = Training(epochs=1, batch_size=2, learning_rate=1e-3, precision="float32", plateau=None)
FINER = (FCN16s, FCN8s)


@pytest.mark.parametrize("padding", [100, "aligned"])
@pytest.mark.parametrize("backbone", ["vgg16", "alexnet", "googlenet"])
@pytest.mark.parametrize("coarse_kind, fine_kind", [(FCN32s, FCN16s), (FCN16s, FCN8s)])
def test_finer_network_starts_with_the_coarser_ones_scores_at_its_cells(backbone, coarse_kind, fine_kind, padding):
    torch.manual_seed(0)
    coarse = coarse_kind(5, backbone, 0.125, padding)
    fine = refine(coarse, fine_kind)
    check_same_start(coarse, fine)
    with torch.no_grad():
        next(fine.trunk.parameters()).mul_(1.5)
    with pytest.raises(CheckFailed, match="differ"):
        check_same_start(coarse, fine)


def test_where_cells_lie_on_cells_the_first_prediction_is_the_same_everywhere():
    """AlexNet's odd kernels: a hat is the sum of half a hat, a hat and half a hat of half its width."""
    torch.manual_seed(0)
    coarse = FCN32s(5, "alexnet", 0.125, padding="aligned").eval()
    nn.init.normal_(coarse.score_fr.weight)
    image = torch.randn(1, 3, 300, 260)
    for network in FINER:
        fine = refine(coarse, network).eval()
        assert fine.score_pool4.weight.abs().max() == 0
        torch.testing.assert_close(fine(image), coarse(image), rtol=1e-4, atol=1e-4)


def test_only_a_finer_network_refines():
    with pytest.raises(ValueError, match="not finer"):
        refine(FCN16s(width=0.125, padding="aligned"), FCN16s)
    with pytest.raises(ValueError, match="not finer"):
        refine(FCN8s(width=0.125, padding="aligned"), FCN16s)


def chain(root, folder, trainings, resume=False):
    seed_everything(3)
    splits = CMPFacade(root, "train"), CMPFacade(root, "val")
    return fit_in_stages(FCN32s(width=0.125, padding="aligned"), FINER, *splits, trainings, folder, resume)


def test_each_stage_starts_from_the_best_epoch_before(small_facades, tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr("fcn.stages.refine", lambda coarse, network: started.append(coarse) or refine(coarse, network))
    stages = chain(small_facades, tmp_path, [dataclasses.replace(QUICK, epochs=2)] * 3)
    assert [type(stage.model) for stage in stages] == [FCN32s, FCN16s, FCN8s]
    for coarse, stage in zip(started, stages):
        kept = from_weights(tmp_path / type(stage.model).__name__ / "best.safetensors")
        assert same_weights(coarse, kept) and best_epoch(stage.history) in (1, 2)


def test_a_chain_that_was_cut_off_goes_on_bit_for_bit(small_facades, tmp_path):
    """Cut off within the second stage: the first is read back, the second goes on, the third follows."""
    trainings = [dataclasses.replace(QUICK, epochs=2)] * 3
    straight = chain(small_facades, tmp_path / "straight", trainings)
    shorter = [trainings[0], dataclasses.replace(QUICK, epochs=1)]
    seed_everything(3)
    splits = CMPFacade(small_facades, "train"), CMPFacade(small_facades, "val")
    fit_in_stages(FCN32s(width=0.125, padding="aligned"), (FCN16s,), *splits, shorter, tmp_path / "cut")
    resumed = chain(small_facades, tmp_path / "cut", trainings, resume=True)
    for one, other in zip(straight, resumed):
        assert same_weights(one.model, other.model)
        assert [e["train_loss"] for e in one.history] == [e["train_loss"] for e in other.history]


def test_a_stage_trained_longer_is_the_training_that_never_stopped(small_facades, tmp_path):
    first, *_ = chain(small_facades, tmp_path / "chain", [QUICK] * 3)
    three = dataclasses.replace(QUICK, epochs=3)
    splits = CMPFacade(small_facades, "train"), CMPFacade(small_facades, "val")
    longer = train_longer(first, *splits, three, tmp_path / "longer")
    straight, *_ = chain(small_facades, tmp_path / "straight", [three] * 3)
    assert same_weights(longer.model, straight.model) and len(first.history) == 1 < len(longer.history) == 3
    assert len(train_longer(first, *splits, three, tmp_path / "longer", resume=True).history) == 3


def test_a_copy_that_was_cut_off_is_not_taken_for_a_stage(small_facades, tmp_path, monkeypatch):
    first, *_ = chain(small_facades, tmp_path / "chain", [QUICK] * 3)
    sets = CMPFacade(small_facades, "train"), CMPFacade(small_facades, "val")

    def cut_off(source, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("shutil.copy2", cut_off)
        train_longer(first, *sets, dataclasses.replace(QUICK, epochs=2), tmp_path / "longer")
    assert not (tmp_path / "longer").exists()
    longer = train_longer(first, *sets, dataclasses.replace(QUICK, epochs=2), tmp_path / "longer", resume=True)
    assert len(longer.history) == 2


def test_the_papers_recipe():
    """Section 4.3: rates 10^-3, 10^-4 and 5^-5, momentum 0.9, weight decay 5^-4, biases doubled; section 4.2: / 100."""
    rates = {
        name: recipe("paper", name, 1.0, 1, "float32", 0).first.learning_rate
        for name in ("alexnet", "vgg16", "googlenet")
    }
    assert rates == {"alexnet": 1e-3, "vgg16": 1e-4, "googlenet": 5e-5}
    stages = recipe("paper", "vgg16", 1.0, 1, "float32", 0).stages(3)
    assert [stage.learning_rate for stage in stages] == pytest.approx([1e-4, 1e-6, 1e-8])
    model = FCN8s(width=0.125, padding="aligned")
    optimiser = stages[0].make_optimiser(model)
    weights, biases = optimiser.param_groups
    assert isinstance(optimiser, torch.optim.SGD) and weights["momentum"] == biases["momentum"] == 0.9
    assert (weights["lr"], weights["weight_decay"], biases["lr"], biases["weight_decay"]) == (1e-4, 5e-4, 2e-4, 0)
    assert not list(model.upscore8.parameters()) and stages[0].batch_size == 20


def test_the_courses_recipe_falls_with_the_width():
    last = [recipe("course", "vgg16", width, 1, "float32", 0).stages(3)[2] for width in (0.125, 0.25, 1.0)]
    assert [training.learning_rate for training in last] == pytest.approx([1e-3, 5e-4, 1.25e-4])


def test_a_balanced_training_weighs_the_loss_by_class(small_facades, tmp_path):
    """One plain gradient step from zero scores, where each class has the same probability: the bias by arithmetic."""
    from fcn.dataset import class_weights
    from fcn.trainer import fit

    dataset = CMPFacade(small_facades, "train", scale=1.0)
    model = FCN32s(width=0.125, padding="aligned")
    one_step = dataclasses.replace(QUICK, optimiser="sgd", balanced=True, learning_rate=1.0, batch_size=len(dataset))
    history = fit(model, dataset, CMPFacade(small_facades, "val"), one_step, tmp_path)
    labels = torch.cat([dataset[index][1].flatten() for index in range(len(dataset))])
    weights, classes = class_weights(dataset), len(dataset.classes)
    loss = functional.cross_entropy(torch.zeros(len(labels), classes), labels, weights, reduction="sum") / len(labels)
    assert history[0]["train_loss"] == pytest.approx(loss.item(), rel=1e-5)
    share = torch.bincount(labels, minlength=classes) / len(labels)
    moved = weights * share - (weights * share).sum() / classes
    torch.testing.assert_close(model.score_fr.bias.detach(), moved, rtol=1e-4, atol=1e-6)


def test_unknown_recipes():
    with pytest.raises(CourseError, match='recipe "papers"; did you mean "paper"'):
        recipe("papers", "vgg16", 1.0, 1, "float32", 0)
    with pytest.raises(CourseError, match='backbone "vgg19"'):
        recipe("paper", "vgg19", 1.0, 1, "float32", 0)
