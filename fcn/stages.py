"""Training from coarse to fine: FCN-32s, then 16s from the best 32s, then 8s from the best 16s (FCN paper, section 4.2)."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fcn.dataset import LabelledPhotographs
from fcn.models import FCN
from fcn.trainer import Training, fit


class Stage(NamedTuple):
    """A finished stage: the network with the weights of its best epoch, and its history as `fit` gives it."""

    model: FCN
    history: list[dict]


def refine(coarse: FCN, network: type[FCN]) -> FCN:
    """A finer network that starts from a coarser one.

    It takes all the coarser one's weights; what it has beyond them starts as it always does, score layers at zero and
    upsampling bilinear. So at each of its cells its first scores are exactly the coarser network's there. Between
    cells both interpolate linearly, the finer network over shorter stretches: where the coarser's cells lie on finer
    ones (AlexNet) the two are the same everywhere, and where they lie halfway between (VGG-16) the finer one rounds
    off the bends.

    Args:
        coarse: stays as it is.
        network: FCN16s or FCN8s; more skips than the coarser one has.
    """
    configuration = {key: value for key, value in coarse.configuration.items() if key not in ("network", "transform_input")}
    fine = network(**configuration)
    state = {key: value for key, value in coarse.state_dict().items() if key != "upsample.weight"}
    missing, unexpected = fine.load_state_dict(state, strict=False)
    if unexpected or not fine.skips > coarse.skips:
        raise ValueError(f"{network.__name__} is not finer than {type(coarse).__name__}")
    fine.trunk.transform_input = fine.configuration["transform_input"] = coarse.trunk.transform_input
    return fine


def fit_in_stages(coarsest: FCN, finer: Sequence[type[FCN]], train: LabelledPhotographs,
                  validation: LabelledPhotographs, trainings: Sequence[Training], folder: str | Path,
                  resume: bool = False) -> list[Stage]:
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
        history = fit(model, train, validation, training, Path(folder) / network.__name__, resume)
        stages.append(Stage(model, history))
    return stages
