"""How many requests may be under way: in all, and of one organization, so that none waits for another's receivers."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from worker.webhooks.fair_share import fair_share

PER_ORGANIZATION = 32
IN_ALL = 512


class OrganizationSlots:
    """Slots for requests; whoever finds none free waits, and who has the fewest is let in first."""

    def __init__(self, *, per_organization: int = PER_ORGANIZATION, in_all: int = IN_ALL) -> None:
        self._per_organization = per_organization
        self._in_all = in_all
        self._held: Counter[UUID] = Counter()
        self._waiting: dict[UUID, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def slot(self, organization_id: UUID) -> AsyncIterator[None]:
        """One of the organization's, for as long as the block takes."""
        await self._take(organization_id)
        try:
            yield
        finally:
            self._give_back(organization_id)

    async def _take(self, organization_id: UUID) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(organization_id, deque()).append(turn)
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back(organization_id)
            elif turn in self._waiting.get(organization_id, ()):
                self._forget(organization_id, turn)
                self._let_in()
            raise

    def _give_back(self, organization_id: UUID) -> None:
        self._held[organization_id] -= 1
        if not self._held[organization_id]:
            del self._held[organization_id]
        self._let_in()

    def _forget(self, organization_id: UUID, turn: asyncio.Future[None]) -> None:
        queue = self._waiting[organization_id]
        queue.remove(turn)
        if not queue:
            del self._waiting[organization_id]

    def _let_in(self) -> None:
        share = fair_share(self._in_all, self._per_organization, len(self._held.keys() | self._waiting.keys()))
        while self._waiting and self._held.total() < self._in_all:
            organization_id = min(self._waiting, key=lambda one: self._held[one])
            if self._held[organization_id] >= share:
                return
            turn = self._waiting[organization_id][0]
            self._forget(organization_id, turn)
            if not turn.done():
                self._held[organization_id] += 1
                turn.set_result(None)
