"""The streams that are open in this process: how many there may be, and what ends them from outside."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from aiohttp import web

from sessions.errors import DatabaseError, ParleyError
from store.access.api_keys import ApiKeys, Principal

KEY_CHECK_SECONDS = 5.0

Ending = Literal["stopping", "key", "gone", "slow", "over", "database", "feed"]


@dataclass(eq=False, slots=True)
class OpenStream:
    """One stream. `woken` is set when it has to look: at the feed, or at `ending`."""

    key_id: UUID
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    ending: Ending | None = None

    def end(self, ending: Ending) -> None:
        """Let it end as soon as it looks; the first reason counts."""
        self.ending = self.ending or ending
        self.woken.set()


class OpenStreams:
    """All of them.

    Args:
        most: streams at once.
        most_per_key: of these, with one key.
    """

    def __init__(self, most: int, most_per_key: int) -> None:
        self._most = most
        self._most_per_key = most_per_key
        self._streams: set[OpenStream] = set()
        self._of_key: Counter[UUID] = Counter()
        self._stopping = False

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._streams)

    @contextmanager
    def opened(self, principal: Principal) -> Iterator[OpenStream]:
        """A place for one more stream.

        Raises:
            ParleyError: `rate_limit.streams`; `stopping`.
        """
        if self._stopping:
            raise ParleyError("stopping", "this server is shutting down")
        if len(self._streams) >= self._most:
            raise ParleyError("rate_limit.streams", f"this server has {self._most} streams open already")
        if self._of_key[principal.key_id] >= self._most_per_key:
            raise ParleyError("rate_limit.streams", f"this key has {self._most_per_key} streams open already")
        stream = OpenStream(principal.key_id)
        self._streams.add(stream)
        self._of_key[stream.key_id] += 1
        try:
            yield stream
        finally:
            self._streams.discard(stream)
            self._of_key[stream.key_id] -= 1
            if not self._of_key[stream.key_id]:
                del self._of_key[stream.key_id]

    def stop(self) -> None:
        """The process stops: all end, and their clients come back to another one."""
        self._stopping = True
        for stream in self._streams:
            stream.end("stopping")

    async def watch_keys(self, api_keys: ApiKeys) -> None:
        """End the streams of keys that are revoked or expired, for ever."""
        while True:
            await asyncio.sleep(KEY_CHECK_SECONDS)
            if not self._of_key:
                continue
            asked = set(self._of_key)
            try:
                living = await api_keys.living(asked)
            except DatabaseError:
                continue
            for stream in self._streams:
                if stream.key_id in asked - living:
                    stream.end("key")


OPEN_STREAMS = web.AppKey("open streams", OpenStreams)
