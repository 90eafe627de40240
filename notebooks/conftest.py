"""Which notebooks may be checked side by side: 05 reads what 02, 03 and 04 leave, so these go one after another."""

import pytest
from xdist.scheduler import LoadScopeScheduling

CHAIN = ("02_", "03_", "04_", "05_")


class ByNotebook(LoadScopeScheduling):
    """One worker for all cells of a notebook, and one for the whole chain."""

    def _split_scope(self, nodeid: str) -> str:
        notebook = nodeid.split("::")[0].split("/")[-1]
        return "facades" if notebook.startswith(CHAIN) else notebook


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByNotebook:
    return ByNotebook(config, log)
