"""Figures of pictures by class, and of what gradients and signals do along a network's depth."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from core.plotting import line_styles
from residual.data import Pictures


def class_sheet(pictures: Pictures) -> Figure:
    """Two training pictures of each class, with the classes' names."""
    figure = Figure(figsize=(9, 2.2), layout="constrained")
    for label, axes in enumerate(figure.subplots(2, len(pictures.classes)).T):
        for axis, index in zip(axes, (pictures.train.labels == label).nonzero()[:2, 0]):
            axis.imshow(pictures.train.images[index].permute(1, 2, 0))
            axis.set_axis_off()
        axes[0].set_title(pictures.classes[label], fontsize=9)
    return figure


def norms_by_depth(panels: Mapping[tuple[str, str], Mapping[str, np.ndarray]]) -> Figure:
    """Gradient norms along the networks: the geometric mean of several networks as a line, their range as a band.

    Args:
        panels: (row, column) → name of a kind of network → log10 of the norms, (networks, layers).
    """
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*panels))
    figure = Figure(figsize=(10.5, 2.7 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), len(columns), sharex=True, sharey="row", squeeze=False)
    for (row, column), kinds in panels.items():
        axis, styles = axes[rows.index(row), columns.index(column)], line_styles(list(kinds))
        for name, values in kinds.items():
            place = np.linspace(0, 1, values.shape[1])
            axis.plot(place, 10 ** values.mean(axis=0), label=name, **styles[name])
            low, high = 10 ** values.min(axis=0), 10 ** values.max(axis=0)
            axis.fill_between(place, low, high, color=styles[name]["color"], alpha=0.2)
        axis.set(yscale="log", title=f"{row}, {column}")
        axis.grid(alpha=0.3)
    for axis in axes[:, 0]:
        axis.set_ylabel("norm of weight gradient")
    for axis in axes[-1]:
        axis.set_xlabel("place in the network (0 input, 1 output)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def signals_by_block(values: Mapping[str, Sequence[Sequence[float]]]) -> Figure:
    """The size of each block's output, and on a logarithmic scale that of the gradient there.

    Args:
        values: name → (forward by block, backward by block).
    """
    figure = Figure(figsize=(9.5, 3.3), layout="constrained")
    panels, styles = figure.subplots(1, 2), line_styles(list(values))
    for name, both in values.items():
        for axis, sizes, title in zip(panels, both, ("forward: size of the output", "backward: norm of the gradient")):
            axis.plot(range(1, len(sizes) + 1), sizes, label=name, **styles[name])
            axis.set(xlabel="block (first to last)", title=title)
            axis.grid(alpha=0.3)
    panels[0].set_ylim(bottom=0)
    panels[1].set_yscale("log")
    panels[0].legend()
    return figure
