"""Giving idempotency keys back after the database was away, without keeping the client waiting for it."""

import asyncio

from aiohttp import web

from store.access.idempotency import Idempotency, IdempotencyTicket

MAX_WAITING = 1000


class LateReleases:
    """A bounded queue of tickets; one that doesn't fit, or fails again, is free when its lease has run out."""

    def __init__(self) -> None:
        self._tickets: asyncio.Queue[IdempotencyTicket] = asyncio.Queue(MAX_WAITING)

    def add(self, ticket: IdempotencyTicket) -> None:
        """Release it soon."""
        if not self._tickets.full():
            self._tickets.put_nowait(ticket)

    async def run(self, idempotency: Idempotency) -> None:
        """Release one after the other, for ever."""
        while True:
            await idempotency.release(await self._tickets.get())


LATE_RELEASES = web.AppKey("late_releases", LateReleases)
