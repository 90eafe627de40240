"""Which notebooks may be checked side by side: 05 reads what 02, 03 and 04 leave, so these go one after another."""

import pytest

CHAIN = ("02_", "03_", "04_", "05_")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        name = item.path.stem
        item.add_marker(pytest.mark.xdist_group("facades" if name.startswith(CHAIN) else name))
