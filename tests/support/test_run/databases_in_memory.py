"""Pytest's part of the folder in memory: all processes of a run share one, the first of which makes and removes it."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.test_run.memory_folder import has_room, held_in_memory, memory_folder

_NAME = "folder in memory"  # of the plugin, and of what processes of pytest-xdist are told


class DatabasesInMemory:
    """A plugin, which decides once for a run whether there is room.

    Attributes:
        folder: None where there isn't.
    """

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._held = ExitStack()

    @classmethod
    def register(cls, config: pytest.Config) -> None:
        """From here on, in this process of the run."""
        config.pluginmanager.register(cls(), _NAME)

    @staticmethod
    def folder_of(config: pytest.Config) -> Path | None:
        """The run's, if there is one."""
        plugin = config.pluginmanager.get_plugin(_NAME)
        return plugin.folder if isinstance(plugin, DatabasesInMemory) else None

    def pytest_configure(self, config: pytest.Config) -> None:
        """Make it, or find the one that was made."""
        if not hasattr(config, "workerinput"):
            self.folder = self._held.enter_context(memory_folder()) if has_room() else None
        elif made := config.workerinput[_NAME]:
            self.folder = Path(made)
            self._held.enter_context(held_in_memory(self.folder))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a process of pytest-xdist."""
        node.workerinput[_NAME] = str(self.folder) if self.folder else ""

    def pytest_unconfigure(self) -> None:
        """Let go of it."""
        self._held.close()
