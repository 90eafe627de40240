"""Training from coarse to fine (FCN paper, section 4.2): FCN-32s, then 16s from the best 32s, 8s from the best 16s."""

import copy
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from core.training_state import BEST, CHECKPOINT, read_checkpoint
from fcn.dataset import LabelledPhotographs
from fcn.models import FCN
from fcn.recipes import Training
from fcn.trainer import fit


class Stage(NamedTuple):
    """A finished stage: the network with the weights of its best epoch, its history as `fit` gives it, its folder."""

    model: FCN
    history: list[dict]
    folder: Path


def refine(coarse: FCN, network: type[FCN]) -> FCN:
    """A finer network that starts from a coarser one.

    It takes all the coarser one's weights; what it has beyond them starts as it always does, score layers at zero and
    upsampling bilinear. So, one stage on, its first scores at each of its cells are exactly the coarser network's
    there. Between cells both interpolate linearly, the finer network over shorter stretches: where the coarser's cells
    lie on finer ones (AlexNet) the two are the same everywhere, and where they lie halfway between (VGG-16) the finer
    one rounds off the bends.

    Args:
        coarse: stays as it is.
        network: FCN16s or FCN8s; with more skips than the coarser one has.
    """
    fine = network(**coarse.configuration)
    missing, unexpected = fine.load_state_dict(coarse.state_dict(), strict=False)
    if unexpected or not missing:
        raise ValueError(f"{network.__name__} is not finer than {type(coarse).__name__}")
    return fine


def fit_in_stages(
    coarsest: FCN,
    finer: Sequence[type[FCN]],
    train: LabelledPhotographs,
    validation: LabelledPhotographs,
    trainings: Sequence[Training],
    folder: str | Path,
    resume: bool = False,
) -> list[Stage]:
    """Trains the coarsest network, then each finer one from the best epoch of the one before.

    Each stage keeps its checkpoint and its best weights in `<folder>/<network>/`. A run that was stopped goes on where
    it was: finished stages are read back, the one that was under way continues from its last epoch.

    Args:
        coarsest: as it is to start, pretrained weights included.
        finer: such as (FCN16s, FCN8s).
        trainings: one for each stage, coarsest first.
        resume: go on from what the folder holds, instead of anew.

    Returns:
        The stages, coarsest first.

    Raises:
        CourseError: as `fcn.trainer.fit`.
    """
    stages, model = [], coarsest
    for network, training in zip((type(coarsest), *finer), trainings, strict=True):
        if stages:
            model = refine(stages[-1].model, network)
        own_folder = Path(folder) / network.__name__
        history = fit(model, train, validation, training, own_folder, resume)
        stages.append(Stage(model, history, own_folder))
    return stages


def train_longer(
    stage: Stage,
    train: LabelledPhotographs,
    validation: LabelledPhotographs,
    training: Training,
    folder: str | Path,
    resume: bool = False,
) -> Stage:
    """A stage's network trained on, apart from the chain: the control for "the finer net only trained longer".

    Args:
        stage: a finished one; it and its folder stay as they are.
        training: the stage's, with more epochs.
        folder: for the longer training.
        resume: go on from what this folder holds, rather than from the stage's end.

    Raises:
        CourseError: as `fcn.trainer.fit`.
    """
    folder = Path(folder)
    if not (resume and (folder / CHECKPOINT).is_file()):
        _copy(stage.folder, folder)
    # The training began with other weights than its best epoch's, which the stage's model has.
    initial = read_checkpoint(folder / CHECKPOINT)["origin"]["initial weights"]
    model = copy.deepcopy(stage.model)
    return Stage(model, fit(model, train, validation, training, folder, resume=True, initial_sha256=initial), folder)


def _copy(source: Path, target: Path) -> None:
    """Copies a finished training beside its place and renames it, so that there is the whole of it or nothing."""
    beside = target.with_name(f".{target.name}.copy")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for name in (CHECKPOINT, BEST):
        shutil.copy2(source / name, beside / name)
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)
