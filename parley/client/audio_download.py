"""A recording's file: resumed where a connection broke, and checked against the digest that the API names."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable

import aiohttp
from aiohttp import hdrs
from yarl import URL

from parley.client.api_client import PATIENT_SECONDS, ApiClient, Resource, proxy_of, unreachable_as_error
from parley.client.problems import ApiRefusedError, UnreachableError
from parley.client.sessions import session_path
from parley.command_error import CommandError

_CHUNK_BYTES = 1 << 16
_SILENCE_SECONDS = 30
_PAUSE_SECONDS = 1.0
_MAKING_SECONDS = 600  # another form of an hour takes about a minute
_NOT_READY = "audio.not_ready"


class AudioDownload:
    """One file of a session's recording: everybody's, or that of the participant `identity`."""

    def __init__(self, api: ApiClient, session_id: str, form: str, identity: str | None) -> None:
        self._api = api
        self._session_id = session_id
        self._form = form
        self._identity = identity

    async def save(self, write: Callable[[bytes], object]) -> int:
        """Hand the file to `write`, piece by piece; returns its bytes.

        Raises:
            CommandError: there is no such file, the connection broke for minutes, or the bytes are not the right ones.
        """
        digest, received = hashlib.sha256(), 0
        deadline = time.monotonic() + PATIENT_SECONDS
        while True:
            try:
                async for piece in self._pieces(received):
                    write(piece)
                    digest.update(piece)
                    received += len(piece)
                    deadline = time.monotonic() + PATIENT_SECONDS
                break
            except UnreachableError:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_PAUSE_SECONDS)
        await self._compare(digest.hexdigest(), received)
        return received

    async def _pieces(self, start: int) -> AsyncIterator[bytes]:
        url = URL(await self._link(), encoded=True)
        headers = {hdrs.RANGE: f"bytes={start}-"} if start else {}
        timeout = aiohttp.ClientTimeout(sock_connect=_SILENCE_SECONDS, sock_read=_SILENCE_SECONDS)
        site = str(url.origin())
        # The link is a permission by itself, and may lead to somebody else's storage: the key stays here.
        with unreachable_as_error(site):
            async with (
                aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as http,
                http.get(url, headers=headers, proxy=proxy_of(url)) as answer,
            ):
                if answer.status != (206 if start else 200):
                    raise CommandError(f"the link of the recording was refused by {site}: {answer.status}")
                async for piece in answer.content.iter_chunked(_CHUNK_BYTES):
                    yield piece

    async def _link(self) -> str:
        """A link that works without a key; a form that is still being made is waited for."""
        params = {"format": self._form} | ({"identity": self._identity} if self._identity else {})
        deadline = time.monotonic() + _MAKING_SECONDS
        while True:
            try:
                link = await self._api.ask("GET", session_path(self._session_id, "/audio"), params=params, patient=True)
                return str(link["url"])
            except ApiRefusedError as refused:
                seconds = refused.retry_after_seconds or _PAUSE_SECONDS
                if refused.code != _NOT_READY or time.monotonic() + seconds > deadline:
                    raise
            await asyncio.sleep(seconds)

    async def _compare(self, sha256: str, size_bytes: int) -> None:
        recording = await self._api.ask("GET", session_path(self._session_id, "/recording"), patient=True)
        file = next((file for file in recording["files"] if self._is_this(file)), None)
        if file and file["sha256"] and (file["sha256"], file["bytes"]) != (sha256, size_bytes):
            raise CommandError(
                f"{size_bytes} bytes came that are not the recording (their SHA-256 is {sha256}): try again"
            )

    def _is_this(self, file: Resource) -> bool:
        return (file["format"], file["identity"]) == (self._form, self._identity)
