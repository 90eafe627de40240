"""A figure, and controls that change it where somebody is there to move them."""

import html
from collections.abc import Callable, Mapping

from IPython import get_ipython
from IPython.display import HTML, display
from ipywidgets import FloatSlider, IntSlider, VBox, Widget
from matplotlib.figure import Figure

from core.errors import CourseError
from core.plotting import image

Drawing = tuple[Figure, str]  # the figure, and a text for readers who can't see it


def hands_on(draw: Callable[..., Drawing], controls: Mapping[str, Widget]) -> None:
    """Shows the figure for the controls' values; where somebody sits before the notebook, the controls above it.

    The figure is an ordinary output, which a control's change replaces. So what is stored is the last figure seen, and
    a notebook that is run unattended, exported or read on a page has the first one and no dead controls.

    Args:
        draw: takes the controls' values by their names. A CourseError that it raises is shown in the figure's place.
        controls: by name.
    """

    def drawn() -> HTML:
        try:
            return image(*draw(**{name: control.value for name, control in controls.items()}))
        except CourseError as error:
            return HTML(f"<p>{html.escape(str(error))}</p>")

    if is_attended():
        display(VBox(list(controls.values())))
    handle = display(drawn(), display_id=True)
    for control in controls.values():
        control.observe(lambda change: handle.update(drawn()), "value")


def slider(name: str, value: float, least: float, most: float, step: float = 1) -> Widget:
    """A slider that changes the figure once it is let go, so that figures don't queue."""
    kind = FloatSlider if isinstance(step, float) else IntSlider
    return kind(value=value, min=least, max=most, step=step, description=name, continuous_update=False)


def is_attended() -> bool:
    """Whether somebody sits before the notebook: a frontend says with each cell whether it could answer `input()`.

    JupyterLab and its like could; papermill, nbval, nbconvert and Sphinx, which run cells by themselves, could not.
    """
    shell = get_ipython()
    request = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return bool(request.get("content", {}).get("allow_stdin"))
