"""A class, a layer and a transparency to choose, and the map over a photograph."""

from collections.abc import Sequence
from functools import cache, partial

import numpy as np
from ipywidgets import Combobox, Dropdown
from matplotlib.figure import Figure

from cam.classifiers import Classifier, Explanation, explain
from cam.overlay import overlay
from core.plotting import picture
from course.widgets.hands_on import Drawing, hands_on, slider


def draw(photograph: np.ndarray, explanation: Explanation, layer: str, opacity: float) -> Drawing:
    """A map over the photograph it is of.

    Args:
        photograph: (H, W, 3) uint8.
        layer: where the map was made, for the title.
        opacity: of the map; 0 shows the photograph alone, 1 the map alone.
    """
    height, width = photograph.shape[:2]
    figure = Figure(figsize=(6, 6 * height / width + 0.3), layout="constrained")
    mapped = overlay(photograph, explanation.heat, opacity, "inferno")
    picture(figure.subplots(), mapped, f"{explanation.name}, {explanation.probability:.2f}, at {layer}")
    return figure, f"Grad-CAM of {explanation.name} at {layer} over a photograph."


def choose_map(classifier: Classifier, photograph: np.ndarray, layers: Sequence[str]) -> None:
    """A class to name, a layer and an opacity to choose; begins with the most probable class and the last layer."""
    known = cache(partial(explain, classifier, photograph))  # a new opacity asks for no new map

    def chosen(name: str, layer: str, opacity: float) -> Drawing:
        return draw(photograph, known(name, layer), layer, opacity)

    controls = {
        "name": Combobox(
            value=explain(classifier, photograph).name,
            options=tuple(classifier.classes),
            description="class",
            continuous_update=False,
        ),
        "layer": Dropdown(value=layers[-1], options=tuple(layers), description="layer"),
        "opacity": slider("opacity", 0.6, 0, 1, 0.1),
    }
    hands_on(chosen, controls)
