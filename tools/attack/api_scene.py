"""An API process with production's settings, on a database of its own, and clients with keys of several tenants."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp

from parley.servers.embedded_postgres import EmbeddedPostgres
from parley.servers.livekit_program import find_or_build
from parley.servers.livekit_server import LiveKitServer
from store.database.server.schema import migrate
from tests.support.running.stack import MASTER_KEY, Stack
from tools.attack.row import Effort
from tools.figures.scene import quietly

_STREAM_SECONDS = 0.3

UNLIMITED = {
    f"PARLEY_LIMIT_{name}": "0"
    for name in (
        "REQUESTS_PER_SECOND",
        "KEY_REQUESTS_PER_SECOND",
        "ADDRESS_REQUESTS_PER_SECOND",
        "CREATES_PER_MINUTE",
        "MESSAGES_PER_MINUTE",
        "CONCURRENT_SESSIONS",
        "QUEUED_SESSIONS",
        "API_KEYS",
    )
}
"""Else most of what a drill sends would be refused before it meets anything that could break."""

PATIENT = {**UNLIMITED, "PARLEY_LOG_LEVEL": "warning", "PARLEY_DATABASE_TIMEOUT_SECONDS": "20"}
"""For drills that send very much and ask nothing about time: a busy machine is no fault of what answers."""


@asynccontextmanager
async def attacked(
    effort: Effort, *, api: Mapping[str, str] | None = None, rooms: bool = False
) -> AsyncIterator[Stack]:
    """A stack whose API answers; with `rooms`, also a LiveKit server."""
    effort.folder.joinpath("stack").mkdir()
    livekit = LiveKitServer(find_or_build(print), effort.folder / "livekit")
    with EmbeddedPostgres(effort.folder / "pg", fsync=False) as url:
        await asyncio.to_thread(migrate, url)
        if rooms:
            with livekit:
                async with _stack(effort, url, livekit, api or {}) as stack:
                    yield stack
        else:
            async with _stack(effort, url, livekit, api or {}) as stack:
                yield stack


@asynccontextmanager
async def _stack(effort: Effort, url: str, livekit: LiveKitServer, api: Mapping[str, str]) -> AsyncIterator[Stack]:
    async with quietly(Stack(effort.folder / "stack", url, livekit)) as stack:
        await stack.start_api("api", (), **api)
        yield stack


def new_key(stack: Stack, organization: str, *more: str) -> str:
    """A key of an organization, which is made if it is new."""
    made = stack.run("keys", "create", "--organization", organization, *more)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


class Client:
    """Somebody with a key; `requests` counts, `base` is the API's URL."""

    def __init__(self, http: aiohttp.ClientSession, base: str, key: str = MASTER_KEY) -> None:
        self.requests = 0
        self._http = http
        self.base = base
        self._key = key

    async def send(self, method: str, path: str, **more: Any) -> tuple[int, bytes]:
        """Status and body; what goes on for ever is read for a moment."""
        self.requests += 1
        headers = {"Authorization": f"Bearer {self._key}", **more.pop("headers", {})}
        async with self._http.request(
            method, self.base + path, headers=headers, allow_redirects=False, **more
        ) as answer:
            if answer.content_type == "text/event-stream":
                return answer.status, await _beginning(answer)
            return answer.status, await answer.read()


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    read = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(_STREAM_SECONDS):
            while piece := await answer.content.read(4096):
                read += piece
    return read
