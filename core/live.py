"""Learning curves that grow during a long training, for whoever watches it in a notebook."""

import os
from collections.abc import Sequence

LONG = 30.0  # seconds; for a shorter training the bar is enough


class LiveCurves:
    """The curves of one training, drawn anew after each epoch and removed at its end.

    They appear once the epochs so far suggest that the whole will take longer than `LONG`, and only where somebody may
    be watching: in a kernel, and not in one that a command of the course started.

    Args:
        epochs: of the whole training.
    """

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.shown = None  # the handle of the display

    def __enter__(self) -> "LiveCurves":
        return self

    def draw(self, history: Sequence[dict]) -> None:
        """Draws the epochs so far.

        Args:
            history: entries as `fcn.trainer.fit` returns them, with the seconds that each took.
        """
        seconds = sum(entry["seconds"] for entry in history)
        if seconds / len(history) * self.epochs < LONG or not _watched():
            return
        from IPython.display import display  # not above: trainings from the command line need neither of the two

        from core.plotting import curves, image

        last = history[-1]["validation"]["mean_iou"]
        words = f"Curves so far: {len(history)} of {self.epochs} epochs, validation mean IoU {last:.3f}."
        figure = image(curves({"so far": history}), words)
        if self.shown is None:
            self.shown = display(figure, display_id=True)
        else:
            self.shown.update(figure)

    def __exit__(self, *_exception: object) -> None:
        if self.shown is not None:
            from IPython.display import HTML

            self.shown.update(HTML(""))


def _watched() -> bool:
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel") and "COURSE_COMMAND" not in os.environ
