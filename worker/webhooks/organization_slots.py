"""How many requests may be under way: per organization, so that none takes all, and in all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

PER_ORGANIZATION = 32
IN_ALL = 512


class OrganizationSlots:
    """Slots for requests; whoever finds none free waits for one."""

    def __init__(self, *, per_organization: int = PER_ORGANIZATION, in_all: int = IN_ALL) -> None:
        self._per_organization = per_organization
        self._all = asyncio.Semaphore(in_all)
        self._own: dict[UUID, asyncio.Semaphore] = {}
        self._users: Counter[UUID] = Counter()

    @asynccontextmanager
    async def slot(self, organization_id: UUID) -> AsyncIterator[None]:
        """One of each, for as long as the block takes."""
        own = self._own.setdefault(organization_id, asyncio.Semaphore(self._per_organization))
        self._users[organization_id] += 1
        try:
            async with own, self._all:
                yield
        finally:
            self._users[organization_id] -= 1
            if not self._users[organization_id]:
                del self._users[organization_id], self._own[organization_id]
