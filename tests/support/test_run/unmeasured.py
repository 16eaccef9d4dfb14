"""Tests whose coverage is not measured: they compute much, and what they reach others reach, too."""

from collections.abc import Generator
from typing import Any

import coverage
import pytest


class Unmeasured:
    """A plugin: while a test with the marker `unmeasured` runs, nothing is traced in its process."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Traced, such a test takes up to three times as long."""
        measured = coverage.Coverage.current()
        if measured is None or item.get_closest_marker("unmeasured") is None:
            return (yield)
        measured.stop()
        try:
            return (yield)
        finally:
            measured.start()
