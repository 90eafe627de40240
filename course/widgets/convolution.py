"""Kernel, stride and padding: which pixels each cell of a convolution sees, and where the cells lie."""

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from core.errors import CourseError
from core.plotting import CLASS_COLOURS, EDGE, LINE_COLOURS
from course.widgets.hands_on import Drawing, hands_on, slider
from fcn.geometry import Grid

PIXELS = 16  # of the row that is looked at


def windows(pixels: int, kernel: int, stride: int, padding: int) -> list[range]:
    """The pixels that each cell sees along one side of an image, zeros beyond its ends included.

    Raises:
        CourseError: the kernel fits nowhere.
    """
    cells = (pixels + 2 * padding - kernel) // stride + 1
    if cells < 1:
        raise CourseError(f"A kernel of {kernel} doesn't fit into {pixels} pixels with padding {padding}; pad more.")
    return [range(cell * stride - padding, cell * stride - padding + kernel) for cell in range(cells)]


def draw(kernel: int, stride: int, padding: int, pixels: int = PIXELS) -> Drawing:
    """A row of pixels with its padding, and above it each cell's window with a dot in its middle."""
    seen = windows(pixels, kernel, stride, padding)
    grid = Grid().convolve(kernel, stride, padding)
    figure = Figure(figsize=(9, 1.2 + 0.2 * len(seen)), layout="constrained")
    axis = figure.subplots()
    for place in range(-padding, pixels + padding):
        inside = 0 <= place < pixels
        style = {"facecolor": CLASS_COLOURS[0]} if inside else {"facecolor": "white", "hatch": "////"}
        axis.add_patch(Rectangle((place - 0.5, -1), 1, 1, edgecolor=EDGE, **style))
        axis.text(place, -0.5, place if inside else "", ha="center", va="center", fontsize=9)
    for cell, window in enumerate(seen):
        colour = LINE_COLOURS[cell % len(LINE_COLOURS)]
        axis.plot([window[0] - 0.4, window[-1] + 0.4], [cell + 0.6] * 2, color=colour, linewidth=4, alpha=0.5)
        axis.plot(grid.start + cell * grid.step, cell + 0.6, "o", color=colour, markersize=6)
    cells = f"{len(seen)} cell{'s' * (len(seen) > 1)}, centred at {grid.start:g} + {grid.step:g} i"
    axis.set(
        title=f"{pixels} pixels → {cells}", xlim=(-padding - 0.7, pixels + padding - 0.3), ylim=(-1.1, len(seen) + 0.2)
    )
    axis.set_axis_off()
    windowed = f"the windows of kernel {kernel}, stride {stride}, padding {padding}"
    return figure, f"A row of {pixels} pixels and {windowed}: {cells}."


def move_windows() -> None:
    """Kernel, stride and padding to move, beginning with 3, 2 and 1."""
    bounds = {"kernel": (3, 1, 8), "stride": (2, 1, 4), "padding": (1, 0, 4)}  # first, least, most
    hands_on(draw, {name: slider(name, *values) for name, values in bounds.items()})
