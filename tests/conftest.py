"""The order of the tests."""

import pytest

LONGEST = ("test_processes.py", "test_demo.py", "test_demo_browser.py", "test_train.py", "test_hostile.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first: a file is one worker's, and no worker should start such a one last."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
