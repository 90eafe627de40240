"""How to train: the settings of a training, and four recipes: the course's, the FCN paper's, and two on windows.

Long, Shelhamer and Darrell (CVPR 2015), sections 4.2 and 4.3: stochastic gradient descent with momentum 0.9 on batches
of 20 images, a fixed learning rate for each backbone, found by line search; biases learn twice as fast and don't decay;
the last upsampling stays bilinear, that is, it has rate 0; each finer net starts from the coarser one at a hundredth
of the rate.
"""

import math
from dataclasses import asdict, dataclass, replace

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from core.errors import CourseError, check_name
from core.training import check_seed, one_cycle
from fcn.backbones import BACKBONES
from fcn.weights import COURSE_WIDTH

RECIPES = ("course", "paper", "windows", "balanced")
# Rates are for the mean of the cross-entropy over a batch's pixels.
PAPER_STAGE_FACTOR = 0.01
# Adam moves every weight by about its rate. The more inputs a layer has the more these moves add up to, so the rate
# falls as the width grows (Yang et al., "Tensor Programs V", NeurIPS 2021, table 3).
COURSE_RATE = 1e-3
WINDOW = 257  # pixels; EfficientNet-Lite0's padding is the same on both sides of 32 k + 1


@dataclass(frozen=True)
class Training:
    """The settings of a training. The defaults are the assignment's: Adam, mean cross-entropy, less on a plateau.

    Attributes:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate, weight_decay: of the optimiser; Adam takes the second as an L2 penalty, AdamW apart from it.
        optimiser: "adam", "adamw", or "sgd" with momentum 0.9.
        schedule: "plateau", or "one cycle" over all steps.
        balanced: rarer classes weigh more in the cross-entropy, see `fcn.dataset.class_weights`.
        double_biases: biases learn twice as fast and don't decay (FCN paper, section 4.3).
        score_rate: factor on the learning rate of new layers, the score layers and learned upsamplings.
        plateau: epochs without a better validation mean IoU before the learning rate is halved; None keeps it.
        window: side of the windows that are cut at random from photographs, at a random scale and mirrored, pixels;
            None: whole photographs.
        precision: "float32", "bfloat16" (autocast), or "auto": bfloat16 where the hardware multiplies it.
        seed: of the order of images, of windows and of dropout.

    Raises:
        CourseError: a value is out of its range.
    """

    epochs: int = 20
    batch_size: int = 4
    learning_rate: float = 1e-4
    weight_decay: float = 2e-5
    optimiser: str = "adam"
    schedule: str = "plateau"
    balanced: bool = False
    double_biases: bool = False
    score_rate: float = 1.0
    plateau: int | None = 3
    window: int | None = None
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        choices = {
            "optimiser": ("adam", "adamw", "sgd"),
            "schedule": ("plateau", "one cycle"),
            "precision": ("auto", "float32", "bfloat16"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise CourseError(f'{name} is "{getattr(self, name)}"; choose one of {", ".join(allowed)}.')
        check_seed(self.seed)
        for name in ("epochs", "batch_size", "learning_rate"):
            if not getattr(self, name) > 0:
                raise CourseError(f"{name} is {getattr(self, name)}; give a number above 0.")

    def fixed(self) -> dict[str, object]:
        """The settings that a resumed training must share; the number of epochs is one if the rates depend on it."""
        return {name: value for name, value in asdict(self).items() if name != "epochs" or self.schedule == "one cycle"}

    def make_optimiser(self, model: nn.Module) -> Optimizer:
        """The optimiser of what is to learn in a network; parameters of one rate and decay make a group."""
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad:
                continue
            doubled = self.double_biases and name.endswith("bias")
            is_new = name.startswith(("score", "upscore"))
            rate = self.learning_rate * (2 if doubled else 1) * (self.score_rate if is_new else 1)
            groups.setdefault((rate, 0.0 if doubled else self.weight_decay), []).append(parameter)
        listed = [
            {"params": parameters, "lr": rate, "weight_decay": decay} for (rate, decay), parameters in groups.items()
        ]
        if self.optimiser == "sgd":
            return torch.optim.SGD(listed, momentum=0.9, fused=True)
        return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[self.optimiser](listed, fused=True)

    def make_schedules(self, optimiser: Optimizer, steps: int) -> tuple[LRScheduler | None, ReduceLROnPlateau | None]:
        """The schedule to advance after each step, and the one to advance after each epoch; one of them is None.

        Args:
            steps: in an epoch.
        """
        if self.schedule == "one cycle":
            return one_cycle(optimiser, self.epochs * steps), None
        patience = math.inf if self.plateau is None else self.plateau
        return None, ReduceLROnPlateau(optimiser, mode="max", factor=0.5, patience=patience)


@dataclass(frozen=True)
class Recipe:
    """The settings of the coarsest net's training, and the factor on the learning rate of each finer net."""

    first: Training
    stage_factor: float

    def stages(self, count: int) -> list[Training]:
        """The settings of `count` stages, coarsest first."""
        return [
            replace(self.first, learning_rate=self.first.learning_rate * self.stage_factor**stage)
            for stage in range(count)
        ]


def recipe(name: str, backbone: str, width: float, epochs: int, precision: str, seed: int) -> Recipe:
    """The recipe of a name.

    Args:
        name: "course": Adam on batches of 4 in every stage, its rate 1e-3 at an eighth of the channels and inversely
            proportional to the width, halved on a plateau; "paper": as above, for networks at full width with
            ImageNet's weights; "windows": AdamW with one cycle of the rate on windows of 257 pixels, four a step;
            "balanced": the same, and rarer classes weigh more, for mean IoU counts all classes alike.
        backbone: of `fcn.backbones.BACKBONES`.
        width: of the network.
        epochs: of each stage.
        precision, seed: as for `Training`.

    Raises:
        CourseError: an unknown recipe or backbone, or a backbone that the paper has no rate for.
    """
    check_name("backbone", backbone, BACKBONES)
    check_name("recipe", name, RECIPES)
    shared = {"epochs": epochs, "precision": precision, "seed": seed}
    if name == "course":
        rate = COURSE_RATE * COURSE_WIDTH / width
        return Recipe(Training(learning_rate=rate, batch_size=4, **shared), stage_factor=1.0)
    if name in ("windows", "balanced"):
        training = Training(
            optimiser="adamw",
            learning_rate=1e-3,
            weight_decay=0.05,
            batch_size=4,
            schedule="one cycle",
            score_rate=5.0,
            window=WINDOW,
            balanced=name == "balanced",
            **shared,
        )
        return Recipe(training, stage_factor=1.0)
    if BACKBONES[backbone].paper_rate is None:
        raise CourseError(f'The paper has no learning rate for {backbone}; train it with "windows" or "course".')
    return Recipe(
        Training(
            optimiser="sgd",
            learning_rate=BACKBONES[backbone].paper_rate,
            batch_size=20,
            weight_decay=5e-4,
            double_biases=True,
            plateau=None,
            **shared,
        ),
        PAPER_STAGE_FACTOR,
    )
