"""A training's history, epoch by epoch."""

from collections.abc import Mapping, Sequence
from functools import partial

from matplotlib.figure import Figure

from core.plotting import EDGE, LINE_COLOURS
from course.widgets.hands_on import Drawing, hands_on, slider
from fcn.dataset import CLASSES


def draw(history: Sequence[Mapping], epoch: int, classes: Sequence[str] = CLASSES) -> Drawing:
    """Training loss and validation mean IoU with one epoch marked, and each class's IoU after that epoch.

    Args:
        history: as `fcn.trainer.fit` returns it.
        epoch: counted from 1.
    """
    at, epochs = history[epoch - 1], [entry["epoch"] for entry in history]
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    curves, bars = figure.subplots(1, 2)
    losses, scores = [entry["train_loss"] for entry in history], [entry["validation"]["mean_iou"] for entry in history]
    beside = curves.twinx()
    curves.plot(epochs, losses, "o-", color=LINE_COLOURS[0], markersize=3, label="training loss")
    beside.plot(epochs, scores, "s--", color=LINE_COLOURS[1], markersize=3, label="validation mean IoU")
    curves.axvline(at["epoch"], color=EDGE, linestyle=":")
    curves.set(title=f"epoch {epoch} of {len(history)}", xlabel="epoch", ylabel="training loss")
    beside.set(ylabel="validation mean IoU")
    drawn = [*curves.get_lines()[:1], *beside.get_lines()]
    figure.legend(handles=drawn, loc="outside lower left", ncols=2, frameon=False, fontsize=9)
    per_class = [iou or 0 for iou in at["validation"]["iou_per_class"]]  # None: no pixel of it
    bars.bar(range(len(classes)), per_class, color=LINE_COLOURS[2])
    bars.set_xticks(range(len(classes)), classes, rotation=30, ha="right")
    bars.set(title="validation IoU by class", ylim=(0, 1))
    found = [name for name, iou in zip(classes, per_class) if iou > 0.05]
    text = f"Training loss and mean IoU by epoch, and each class's IoU after epoch {epoch}; "
    return figure, text + (f"above 0.05 are {', '.join(found)}." if found else "none is above 0.05.")


def step_through(history: Sequence[Mapping], classes: Sequence[str] = CLASSES) -> None:
    """The epoch to move, beginning with the last."""
    epoch = slider("epoch", len(history), 1, len(history))
    hands_on(partial(draw, history, classes=classes), {"epoch": epoch})
