"""Two ways to train, by name: the course's own, and the FCN paper's.

Long, Shelhamer and Darrell (CVPR 2015), sections 4.2 and 4.3: stochastic gradient descent with momentum 0.9 on batches
of 20 images, a fixed learning rate for each backbone, found by line search; biases learn twice as fast and don't decay;
the last upsampling stays bilinear, that is, it has rate 0; each finer net starts from the coarser one at a hundredth
of the rate.
"""

from dataclasses import dataclass, replace

from core.errors import check_name
from fcn.backbones import BACKBONES
from fcn.trainer import Training
from fcn.weights import COURSE_WIDTH

RECIPES = ("course", "paper")
# Rates are for the mean of the cross-entropy over a batch's pixels. Under its sum the gradient is as many times larger
# as there are pixels, so the same steps need a rate that many times smaller: a rate belongs to its reduction.
PAPER_STAGE_FACTOR = 0.01
# Adam moves every weight by about its rate. The more inputs a layer has the more these moves add up to, so the rate
# falls as the width grows (Yang et al., "Tensor Programs V", NeurIPS 2021, table 3).
COURSE_RATE = 1e-3


@dataclass(frozen=True)
class Recipe:
    """The stages of a training: that of the coarsest net, and what each finer net's learning rate is multiplied by."""

    first: Training
    stage_factor: float

    def stages(self, count: int) -> list[Training]:
        """The trainings of so many stages, coarsest first."""
        return [
            replace(self.first, learning_rate=self.first.learning_rate * self.stage_factor**stage)
            for stage in range(count)
        ]


def recipe(name: str, backbone: str, width: float, epochs: int, precision: str, seed: int) -> Recipe:
    """A way to train, by name.

    Args:
        name: "course": Adam on batches of 4 in every stage, its rate 1e-3 at an eighth of the channels and inversely
            proportional to the width, halved on a plateau; "paper": as above, for networks at full width with
            ImageNet's weights.
        backbone: "alexnet", "vgg16" or "googlenet".
        width: of the network.
        epochs: of each stage.
        precision, seed: as for `Training`.

    Raises:
        CourseError: an unknown recipe or backbone.
    """
    check_name("backbone", backbone, BACKBONES)
    check_name("recipe", name, RECIPES)
    shared = {"epochs": epochs, "precision": precision, "seed": seed}
    if name == "course":
        rate = COURSE_RATE * COURSE_WIDTH / width
        return Recipe(Training(learning_rate=rate, batch_size=4, **shared), stage_factor=1.0)
    return Recipe(
        Training(
            optimiser="sgd",
            learning_rate=BACKBONES[backbone].paper_rate,
            batch_size=20,
            weight_decay=5e-4,
            reduction="mean",
            double_biases=True,
            plateau=None,
            **shared,
        ),
        PAPER_STAGE_FACTOR,
    )
