"""Pytest's part of the check of what is left open: who opens, and when it must be closed."""

from collections.abc import Generator
from typing import Any

import pytest

from parley.commands.loading import loading
from tests.support.test_run.left_open import Openings, collect_garbage


class OpeningsWatch:
    """A plugin: a test that leaves something open is an error at its own end, a fixture at the end of its scope."""

    def __init__(self, openings: Openings) -> None:
        self._openings = openings
        openings.start()

    def pytest_unconfigure(self) -> None:
        """Leave the classes as they were."""
        self._openings.stop()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self) -> Generator[None, object, object]:
        """What is loaded here stays: the collector looks through it neither meanwhile nor after each module."""
        with loading():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """What is opened from here on is this test's."""
        with self._openings.owned_by(item.nodeid):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """What outlives the test that first asked for it is not that test's."""
        if fixturedef.scope == "function":
            return (yield)
        with self._openings.owned_by(_name(fixturedef)):
            return (yield)

    def pytest_fixture_post_finalizer(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        """A fixture that has ended has closed everything."""
        if fixturedef.scope != "function":
            self._openings.check(_name(fixturedef))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
        """A test has closed everything when it ends; a module leaves no garbage that breaks when others collect it."""
        try:
            yield
            self._openings.check(item.nodeid)
        finally:
            if nextitem is None or nextitem.path != item.path:
                collect_garbage(item.path.relative_to(item.config.rootpath).as_posix())


def _name(fixturedef: pytest.FixtureDef[Any]) -> str:
    return f"fixture {fixturedef.argname} ({fixturedef.scope})"
