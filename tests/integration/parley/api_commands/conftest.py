"""A shell of a customer's: a real API, and an account for it in the environment."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.running.api_server import ApiServer, api_server
from tests.support.running.customer_shell import CustomerShell


@pytest.fixture
async def api(database_url: str, tmp_path: Path, log: io.StringIO) -> AsyncIterator[ApiServer]:
    """One server, with the master key; its log goes to `log`, for stdout is the commands'."""
    async with api_server(database_url, tmp_path) as server:
        yield server


@pytest.fixture
async def shell(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[CustomerShell]:
    """Commands run in an empty folder, with an empty home."""
    shell = CustomerShell(api.base_url, tmp_path / "home", monkeypatch, capsys)
    yield shell
    await shell.close()
