"""A server with objects of one agent, every operation that may be asked about them, and keys of others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from control_api.http.openapi.operation import Operation
from sessions.ids import format_id
from sessions.organizations.key_terms import SCOPES, KeyTerms
from tests.support.running.api_server import ApiServer, Reply, api_server, create_body


@dataclass
class World:
    """A server, a session, a key and a webhook endpoint of `agent_a`, and keys that may not reach them."""

    api: ApiServer
    session: str
    key: str
    revoked: str
    expired: str
    other_organization: str
    other_agent: str
    endpoint: str = ""
    delivery: str = ""

    async def agent_key(self, agent_id: str, scopes: set[str], organization: str = "default", **more: Any) -> str:
        _, secret = await self.api.dependencies.api_keys.create(
            organization, KeyTerms(kind="agent", agent_id=agent_id, scopes=scopes, **more)
        )
        return secret.get_secret_value()

    async def ask(self, operation: Operation, key: str | None) -> Reply:
        """The operation, about the session and the key of agent_a."""
        path, asked, body = self.path(operation), self._query(operation), self.body(operation)
        if operation.path.endswith("/events/stream"):
            return await self._ask_for_stream(path, key)
        return await self.api.call(operation.method, path, body, key=key, params=asked)

    def path(self, operation: Operation) -> str:
        """Where the operation is, about the objects of agent_a."""
        path = operation.path
        for name, value in (
            ("{session_id}", self.session),
            ("{session_key}", self.session),
            ("{key_id}", self.key),
            ("{agent_id}", "agent_a"),
            ("{endpoint_id}", self.endpoint),
            ("{delivery_id}", self.delivery),
        ):
            path = path.replace(name, value)
        return path

    def body(self, operation: Operation) -> Any:
        """A body that the operation takes; None: it has none."""
        body = _body(operation)
        if isinstance(body, dict) and "sessionId" in body:  # /v1/sessions/summary/regenerate has it there
            return {"sessionId": self.session}
        return body

    def _query(self, operation: Operation) -> dict[str, Any]:
        query = {parameter.name for parameter in operation.query}
        return {
            name: value
            for name, value in (("sessionId", self.session), ("type", "instant"), ("wait_seconds", 0))
            if name in query
        }

    async def _ask_for_stream(self, path: str, key: str | None) -> Reply:
        """What a stream sends at once, from the log's beginning; over a connection of its own, as it breaks off."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        url = f"{self.api.base_url}{path}?after=evc_{'0' * 26}"
        async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
            sent = bytearray()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.3 if answer.status == 200 else 10):
                    async for chunk in answer.content.iter_any():
                        sent += chunk
        return Reply(answer.status, answer.headers, bytes(sent))


@asynccontextmanager
async def open_world(database_url: str, folder: Path) -> AsyncIterator[World]:
    """A world on a fresh database."""
    async with api_server(database_url, folder) as api:
        keys = api.dependencies.api_keys
        session = await api.create("room-a", agent_id="agent_a")
        world = World(api, session["id"], "", "", "", "", "")
        every = set(SCOPES)
        own, _ = await keys.create("default", KeyTerms(kind="agent", agent_id="agent_a", scopes=every))
        world.key = format_id("key", own.id)
        revoked, secret = await keys.create("default")
        await keys.revoke(revoked.organization_id, revoked.id)
        world.revoked = secret.get_secret_value()
        _, secret = await keys.create("default", KeyTerms(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
        world.expired = secret.get_secret_value()
        _, secret = await keys.create("other")
        world.other_organization = secret.get_secret_value()
        world.other_agent = await world.agent_key("agent_b", every)
        hook = {"url": "https://hooks.example.com", "agent_id": "agent_a"}
        world.endpoint = (await api.call("POST", "/v1/webhook_endpoints", hook)).content["id"]
        tested = await api.call("POST", f"/v1/webhook_endpoints/{world.endpoint}/test?wait_seconds=0")
        world.delivery = tested.content["id"]
        yield world


def _body(operation: Operation) -> Any:
    if operation.body is None:
        return None
    if operation.name == "create_session":
        return create_body(f"room-{uuid4()}")
    if operation.name == "create_task_session":
        return {"agent_id": "agent_b"}
    if operation.name == "create_api_key":
        return {"kind": "agent", "agent_id": "agent_b", "scopes": ["sessions:read"]}
    return next(iter(operation.request_examples.values()))
