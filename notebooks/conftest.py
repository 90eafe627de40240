"""Which notebooks may be checked side by side: one that reads what others leave is checked after them."""

from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from course.notebooks import source as notebooks


class ByNotebook(LoadScopeScheduling):
    """One worker for all cells of a notebook, and of those that it is tied to by what it reads."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        super().__init__(config, log)
        self.groups = notebooks.groups(notebooks.dependencies(Path(__file__).parent.glob("*.ipynb")))

    def _split_scope(self, nodeid: str) -> str:
        return self.groups[Path(nodeid.split("::")[0]).stem]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByNotebook:
    return ByNotebook(config, log)
