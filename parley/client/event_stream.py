"""Follows the organization's events: whatever interrupts the stream, the next connection goes on after the last one.

The cursor moves when the consumer asks for the next event, so an event that it could not finish comes again.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import hdrs

from parley.client.api_client import ApiClient
from parley.client.problems import ApiRefusedError, NotParleyError, UnreachableError
from parley.client.server_sent_events import EventStreamParser

_MEDIA_TYPE = "text/event-stream"
_NOTHING_MORE = 204
_SILENCE_SECONDS = 45.0  # the API sends a comment every 15 s
_CONNECT_SECONDS = 10.0
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class StreamedEvent:
    """One event.

    Attributes:
        body: JSON in UTF-8, the bytes that a webhook would bring.
    """

    type: str
    body: bytes


class EventStream:
    """Events after `cursor`; without one, those that happen from now on.

    Attributes:
        cursor: of the last event that the consumer is done with, or of where the stream began.
    """

    def __init__(
        self,
        api: ApiClient,
        *,
        path: str = "/v1/events",
        params: Mapping[str, Any] | None = None,
        cursor: str | None = None,
        changed: Callable[[str | None], None] = lambda reason: None,
    ) -> None:
        """`changed` hears None when a stream has begun, and why one was interrupted, until the next has begun."""
        self.cursor = cursor
        self._api = api
        self._path = path
        self._params = dict(params or {})
        self._changed = changed
        self._has_begun = False
        self._is_over = False
        self._retry_seconds = 0.0  # as the API asks for when it ends a stream

    async def events(self) -> AsyncGenerator[StreamedEvent, None]:
        """Every event once, for ever; those of one session until the API says that no more will come.

        Raises:
            CommandError: the API refuses for good: a wrong key, a wrong filter, a cursor that it doesn't know any more.
        """
        pause, told = _FIRST_PAUSE_SECONDS, False
        while True:
            reason = "the API ended the stream"
            self._has_begun, self._retry_seconds = False, 0.0
            try:
                async with aclosing(self._connection()) as connection:
                    async for event in connection:
                        yield event
            except UnreachableError as problem:
                reason = str(problem)
            except ApiRefusedError as refused:
                if not refused.is_temporary:
                    raise
                reason, pause = str(refused), max(pause, refused.retry_after_seconds or 0.0)
            if self._is_over:
                return
            if self._has_begun or not told:
                self._changed(reason)
                told = True
            if self._has_begun:
                pause = max(_FIRST_PAUSE_SECONDS, self._retry_seconds)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # many readers don't come back all at once
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _connection(self) -> AsyncGenerator[StreamedEvent, None]:
        headers = {hdrs.ACCEPT: _MEDIA_TYPE} | ({"Last-Event-ID": self.cursor} if self.cursor else {})
        timeout = aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS, sock_read=_SILENCE_SECONDS)
        parser = EventStreamParser(self.cursor)
        async with self._api.opened("GET", self._path, params=self._params, headers=headers, timeout=timeout) as answer:
            if answer.status == _NOTHING_MORE:
                self._is_over = True
                return
            if answer.content_type != _MEDIA_TYPE:
                raise NotParleyError(self._api.base_url, f"{answer.status} {answer.content_type}")
            self._has_begun = True
            self._changed(None)
            async for data in answer.content.iter_any():
                for event in parser.feed(data):
                    yield StreamedEvent(event.type, event.data.encode())
                    self.cursor = event.id
                self.cursor = parser.last_id
            self._retry_seconds = (parser.retry_ms or 0) / 1000
