"""The engine on a fresh database."""

from collections.abc import AsyncIterator

import pytest

from tests.support.running.engine import Engine


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    """The engine's parts, wired on one pool."""
    async with Engine.open(database_url) as engine:
        yield engine
