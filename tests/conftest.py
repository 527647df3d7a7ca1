"""How many tests run at once, and in which order."""

import os

import pytest

LONGEST = ("test_processes.py", "test_demo.py", "test_demo_browser.py", "test_train.py", "test_hostile.py")


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: tests of child processes mostly wait for those."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first: a file is one worker's, and no worker should start such a one last."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
