"""The demo's customer: speaks to Parley over HTTP only, with an API key, as the documentation says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from parley.client.account import Account
from parley.client.api_client import LONGEST_WAIT_SECONDS, ApiClient, Resource, connected
from parley.client.audio_download import AudioDownload
from parley.client.sessions import session_path


class Customer:
    """One session's worth of requests. Enter `connected_customer`."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api

    async def create(self, transport: Resource) -> Resource:
        """Have a room recorded."""
        return await self._api.ask("POST", "/v1/sessions", body={"transport": transport, "title": "parley demo"})

    async def get(self, session_id: str) -> Resource:
        """The session now."""
        return await self._api.ask("GET", session_path(session_id))

    async def wait(self, session_id: str, until: str) -> Resource:
        """The session once it is `running` or `terminal`, or as it is after half a minute."""
        prefer = {"Prefer": f"wait={LONGEST_WAIT_SECONDS}"}
        return await self._api.ask("GET", session_path(session_id), params={"until": until}, headers=prefer)

    async def end(self, session_id: str) -> Resource:
        """Ask for the end."""
        return await self._api.ask("POST", session_path(session_id, "/end"))

    async def timeline(self, session_id: str) -> list[Resource]:
        """The status transitions, oldest first."""
        return _rows(await self._api.ask("GET", session_path(session_id, "/timeline")))

    async def recording(self, session_id: str) -> Resource:
        """The recording: its state, and what is in it."""
        return await self._api.ask("GET", session_path(session_id, "/recording"))

    async def transcript(self, session_id: str) -> Resource:
        """Who said what, as far as that is known."""
        return await self._api.ask("GET", session_path(session_id, "/transcript"))

    async def bill(self, session_id: str) -> list[Resource]:
        """The usage events, oldest first."""
        return _rows(await self._api.ask("GET", "/v1/usage/events", params={"session_id": session_id}))

    async def receipt(self, session_id: str) -> Resource:
        """What the session costs, and why."""
        return await self._api.ask("GET", session_path(session_id, "/receipt"))

    async def audio(self, session_id: str) -> bytes:
        """`conversation.wav`, through the signed link."""
        wav = bytearray()
        await AudioDownload(self._api, session_id, "wav", None).save(wav.extend)
        return bytes(wav)


@asynccontextmanager
async def connected_customer(api_url: str, key: str) -> AsyncIterator[Customer]:
    """A client of the API at `api_url`."""
    async with connected(Account(api_url, key)) as api:
        yield Customer(api)


def _rows(page: Resource) -> list[Resource]:
    rows: list[Resource] = page["data"]
    return rows
