"""A control API, a receiver, and endpoints."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.running.api_server import ApiServer, api_server
from tests.support.running.webhooks import Receiver, receiver

ALLOWED: dict[str, Any] = {
    "webhook_allow_http": True,
    "webhook_allow_private_hosts": True,
    "webhook_ports": (0,),
}
Subscribe = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[ApiServer]:
    """A server that lets webhooks go anywhere."""
    async with api_server(database_url, tmp_path, **ALLOWED) as server:
        yield server


@pytest.fixture
async def hooks() -> AsyncIterator[Receiver]:
    """Where they come."""
    async with receiver() as server:
        yield server


@pytest.fixture
def subscribe(api: ApiServer, hooks: Receiver) -> Subscribe:
    """Makes an endpoint at a path of the receiver."""

    async def make(path: str = "/hook", **fields: Any) -> dict[str, Any]:
        reply = await api.call("POST", "/v1/webhook_endpoints", {"url": hooks.url + path, **fields})
        assert reply.status == 201, reply.content
        assert isinstance(reply.content, dict)
        return reply.content

    return make
