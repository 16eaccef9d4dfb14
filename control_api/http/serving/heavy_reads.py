"""Reads of whole transcripts: one of each organization at a time, and two in all. So they have two connections to the
database and the memory of two answers, and everybody else has the rest.
"""

import asyncio
from collections.abc import Callable
from uuid import UUID

from aiohttp import web

from control_api.http.answers.envelope import RefusedRequestError

PLACES = 2  # of the five connections that an API process has to PostgreSQL
WAIT_SECONDS = 10.0
WRITE_SECONDS = 10.0  # whoever reads more slowly keeps its own answer, but no place


class HeavyReads:
    """The places of one API process."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(PLACES)
        self._turns: dict[UUID, asyncio.Semaphore] = {}
        self._asking: dict[UUID, int] = {}

    async def take(self, organization_id: UUID) -> Callable[[], None]:
        """Wait for a place; what is returned gives it back, however often it is called.

        Raises:
            RefusedRequestError: `rate_limit.requests`: none was free within 10 s.
        """
        turn = self._turns.setdefault(organization_id, asyncio.Semaphore())
        self._asking[organization_id] = self._asking.get(organization_id, 0) + 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await turn.acquire()
                try:
                    await self._free.acquire()
                except BaseException:
                    turn.release()
                    raise
        except BaseException as error:
            self._forget(organization_id)
            if not isinstance(error, TimeoutError):
                raise
            refusal = RefusedRequestError("rate_limit.requests", "too many transcripts are being read", {})
            refusal.extra["retry_after_seconds"] = 1
            raise refusal from None
        given_back = False

        def give_back() -> None:
            nonlocal given_back
            if not given_back:
                given_back = True
                self._free.release()
                turn.release()
                self._forget(organization_id)

        return give_back

    def _forget(self, organization_id: UUID) -> None:
        self._asking[organization_id] -= 1
        if not self._asking[organization_id]:
            del self._asking[organization_id], self._turns[organization_id]


HEAVY_READS = web.AppKey("heavy_reads", HeavyReads)
