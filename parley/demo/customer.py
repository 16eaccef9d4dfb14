"""The demo's customer: speaks to Parley over HTTP only, with an API key, as the documentation says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from parley.command_error import CommandError

_REQUEST_SECONDS = 45
_LONGEST_WAIT_SECONDS = 30

Resource = dict[str, Any]


class Customer:
    """One session's worth of requests. Enter `connected_customer`."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def create(self, transport: Resource) -> Resource:
        """Have a room recorded."""
        return await self._ask("POST", "/v1/sessions", json={"transport": transport, "title": "parley demo"})

    async def get(self, session_id: str) -> Resource:
        """The session now."""
        return await self._ask("GET", f"/v1/sessions/{session_id}")

    async def wait(self, session_id: str, until: str) -> Resource:
        """The session once it is `running` or `terminal`, or as it is after half a minute."""
        return await self._ask(
            "GET",
            f"/v1/sessions/{session_id}",
            params={"until": until},
            headers={"Prefer": f"wait={_LONGEST_WAIT_SECONDS}"},
        )

    async def end(self, session_id: str) -> Resource:
        """Ask for the end."""
        return await self._ask("POST", f"/v1/sessions/{session_id}/end")

    async def timeline(self, session_id: str) -> list[Resource]:
        """The status transitions, oldest first."""
        return _rows(await self._ask("GET", f"/v1/sessions/{session_id}/timeline"))

    async def recording(self, session_id: str) -> Resource:
        """The recording: its state, and what is in it."""
        return await self._ask("GET", f"/v1/sessions/{session_id}/recording")

    async def transcript(self, session_id: str) -> Resource:
        """Who said what, as far as that is known."""
        return await self._ask("GET", f"/v1/sessions/{session_id}/transcript")

    async def bill(self, session_id: str) -> list[Resource]:
        """The usage events, oldest first."""
        return _rows(await self._ask("GET", "/v1/usage/events", params={"session_id": session_id}))

    async def receipt(self, session_id: str) -> Resource:
        """What the session costs, and why."""
        return await self._ask("GET", f"/v1/sessions/{session_id}/receipt")

    async def audio(self, session_id: str) -> bytes:
        """`conversation.wav`, through the signed link."""
        async with self._http.get(f"/v1/sessions/{session_id}/audio") as answer:
            if answer.status != 200:
                raise CommandError(f"the audio was refused with {answer.status}")
            return await answer.read()

    async def _ask(self, method: str, path: str, **options: Any) -> Resource:
        async with self._http.request(method, path, **options) as answer:
            document: Resource = await answer.json()
        if answer.ok:
            return document
        error = document["error"]
        raise CommandError(f"{method} {path}: {answer.status} {error['code']}: {error['message']}")


@asynccontextmanager
async def connected_customer(api_url: str, key: str) -> AsyncIterator[Customer]:
    """A client of the API at `api_url`."""
    async with aiohttp.ClientSession(
        api_url,
        headers={"Authorization": f"Bearer {key}"},
        timeout=aiohttp.ClientTimeout(total=_REQUEST_SECONDS),
    ) as http:
        yield Customer(http)


def _rows(page: Resource) -> list[Resource]:
    rows: list[Resource] = page["data"]
    return rows
