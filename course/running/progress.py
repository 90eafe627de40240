"""A line on the terminal for each notebook that runs."""

import threading

from tqdm import tqdm


class Progress:
    """A line with the notebook, the cell it is in and the time it takes, on a terminal; nothing elsewhere.

    Args:
        cells: how many there are; with papermill's own, which holds the given parameters, it is one more.
        line: which one below the cursor; those of notebooks that run side by side differ.
    """

    def __init__(self, title: str, cells: int, line: int = 0) -> None:
        self.bar = tqdm(
            total=cells + 1,
            desc=title,
            position=line,
            disable=None,
            leave=False,
            bar_format="{desc} |{bar:24}| cell {n_fmt} of {total_fmt}, {elapsed}",
        )
        self.done = threading.Event()
        self.clock = threading.Thread(target=self._tick, daemon=True)

    def cell_starts(self, number: int) -> None:
        """Says which cell runs now, counted from 1."""
        self.bar.n = number
        self.bar.refresh()

    def _tick(self) -> None:
        # The bar moves with the cells only, and a training cell may take hours.
        while not self.done.wait(1.0):
            self.bar.refresh()

    def __enter__(self) -> "Progress":
        self.clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.clock.join()
        self.bar.close()
