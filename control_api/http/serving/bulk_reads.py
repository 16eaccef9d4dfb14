"""Long answers: how many are sent at a time, and whose turn the next page is.

The first page of an answer is read as any other read is. What follows is read from a pool of its own in turns: one of
each organization, two in all. Sending takes no turn, so a slow reader holds a page in memory and nothing else.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

from aiohttp import web

from control_api.http.answers.envelope import RefusedRequestError

TURNS = 2  # as many connections has the pool
MOST = 64  # long answers under way
MOST_OF_ONE = 16  # of each organization


class BulkReads:
    """The long answers of one API process."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(TURNS)
        self._turns: dict[UUID, asyncio.Semaphore] = {}
        self._in_line: Counter[UUID] = Counter()
        self._sent: Counter[UUID] = Counter()

    @contextmanager
    def sending(self, organization_id: UUID) -> Iterator[None]:
        """A long answer is sent during this block.

        Raises:
            RefusedRequestError: `rate_limit.requests`: too many are.
        """
        if self._sent[organization_id] >= MOST_OF_ONE or self._sent.total() >= MOST:
            refusal = RefusedRequestError("rate_limit.requests", "too many long answers are being read", {})
            refusal.extra["retry_after_seconds"] = 1
            raise refusal
        with _counted(self._sent, organization_id):
            yield

    @asynccontextmanager
    async def turn(self, organization_id: UUID) -> AsyncIterator[None]:
        """Wait for the organization's turn; none takes longer than a page does."""
        turn = self._turns.setdefault(organization_id, asyncio.Semaphore())
        try:
            with _counted(self._in_line, organization_id):
                async with turn, self._free:
                    yield
        finally:
            if not self._in_line[organization_id]:
                self._turns.pop(organization_id, None)


@contextmanager
def _counted(counts: Counter[UUID], organization_id: UUID) -> Iterator[None]:
    counts[organization_id] += 1
    try:
        yield
    finally:
        counts[organization_id] -= 1
        if not counts[organization_id]:
            del counts[organization_id]


BULK_READS = web.AppKey("bulk_reads", BulkReads)
