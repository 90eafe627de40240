"""A photograph of one's own: named, lying beside the notebook, or uploaded."""

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from ipywidgets import FileUpload
from matplotlib.figure import Figure

from cam.view import check_shows_something
from core.errors import CourseError
from core.files import write_atomically
from core.photographs import find_photograph, read_photograph
from core.plotting import picture
from course.widgets.hands_on import Drawing, hands_on

# By danielbuechele, CC BY 2.0; scikit-learn has it, and takes most of a second to import, which isn't needed here.
TEMPLE = Path(find_spec("sklearn").origin).parent / "datasets" / "images" / "china.jpg"
UPLOADS = Path("uploads")  # beside the notebook, whose folder is the one it runs in
LONGER_SIDE = 1024  # pixels; the networks of the course look at fewer, and a telephone's photograph has 16 times more


class OwnPhotograph:
    """The photograph that a notebook's cells look at: the one named, until another is uploaded.

    Args:
        path: of the first one; a name alone is looked for beside the notebook. By default a Chinese temple.

    Attributes:
        path: the file as it came.
        pixels: (H, W, 3) uint8, upright, scaled down to LONGER_SIDE.

    Raises:
        CourseError: there is no such file, or it is no photograph that shows something.
    """

    def __init__(self, path: str | Path = TEMPLE) -> None:
        self.use(find_photograph(path))

    def use(self, path: Path) -> None:
        """Reads another one; if it can't be, the one before stays."""
        pixels = read_photograph(path)
        check_shows_something(pixels, path)
        factor = LONGER_SIDE / max(pixels.shape[:2])
        if factor < 1:
            size = [max(1, round(side * factor)) for side in pixels.shape[1::-1]]
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        self.path, self.pixels = path, pixels

    def choose(self) -> None:
        """Shows the photograph, with a button to upload another one; the cells below then look at that one."""

        def draw_uploaded(upload: tuple[dict, ...]) -> Drawing:
            for file in upload:
                self.use(keep(file["name"], bytes(file["content"])))
            return draw(self.pixels, self.path.name)

        button = FileUpload(accept="image/*", description="Upload a photograph", layout={"width": "auto"})
        hands_on(draw_uploaded, {"upload": button})


def keep(name: str, content: bytes, folder: Path = UPLOADS) -> Path:
    """Writes an uploaded photograph to a file of its name, and gives that back; anything else leaves no file.

    Raises:
        CourseError: it is no photograph that can be read, or the folder can't be written to.
    """
    path = folder / Path(name).name
    with write_atomically(path) as temporary:
        temporary.write_bytes(content)
    try:
        read_photograph(path)
    except CourseError:
        path.unlink()
        raise
    return path


def draw(pixels: np.ndarray, name: str) -> Drawing:
    """An (H, W, 3) photograph with its file's name."""
    height, width = pixels.shape[:2]
    longer = max(height, width)
    figure = Figure(figsize=(6 * width / longer, 6 * height / longer + 0.3), layout="constrained")
    picture(figure.subplots(), pixels, f"{name}: {width} × {height} pixels")
    return figure, f"The photograph {name}, {width} by {height} pixels as the networks get it."
