"""A control API with a fresh database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.control_api.world import World, open_world
from tests.support.running.api_server import ApiServer, api_server


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[ApiServer]:
    """One server, with the master key."""
    async with api_server(database_url, tmp_path) as server:
        yield server


@pytest.fixture
async def twin(api: ApiServer, database_url: str, tmp_path: Path) -> AsyncIterator[ApiServer]:
    """A second server on the same database."""
    async with api_server(database_url, tmp_path / "twin") as server:
        yield server


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A server with objects of one agent, and keys of others."""
    async with open_world(database_url, tmp_path) as made:
        yield made
