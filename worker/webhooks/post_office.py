"""All deliveries of one process: finds endpoints with something to send, leases them, opens a desk for each."""

import asyncio
import math
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

import structlog

from sessions.errors import DatabaseError, ParleyError
from sessions.ids import format_id
from store.database.database import Database
from store.database.notify.channels import EVENT_CHANNEL
from store.database.notify.notifications import Listener
from store.events.numbering import number_events
from store.set_within import set_within
from store.webhooks.endpoint_leases import EndpointLeases
from worker.vitals.activity import Activity
from worker.webhooks.desk_turns import desks_to_close
from worker.webhooks.endpoint_desk import DeskTools, EndpointDesk
from worker.webhooks.fair_share import fair_share

LOOK_SECONDS = 1.0
_QUICK_LOOK_SECONDS = 0.05  # between two looks that notifications ask for
_DESKS = 500
_DESKS_EACH = 100  # of one organization
_SPARED_SECONDS = 60.0  # an endpoint whose desk broke
_STOP_SECONDS = 3.0

_log = structlog.get_logger(__name__)


class PostOffice:
    """Delivers for as long as it runs.

    Args:
        attempt_seconds: how long one attempt may take; a lease is good for one more when an attempt begins.
        activity: is busy while a desk is open.
        desks: endpoints that are delivered to at the same time. While others wait, no organization keeps more than
            its share of them.
    """

    def __init__(
        self,
        db: Database,
        leases: EndpointLeases,
        tools: DeskTools,
        listener: Listener,
        *,
        attempt_seconds: float,
        activity: Activity,
        look_seconds: float = LOOK_SECONDS,
        desks: int = _DESKS,
    ) -> None:
        self._db = db
        self._leases = leases
        self._tools = tools
        self._listener = listener
        self._good_for = leases.lease_seconds - attempt_seconds
        self._activity = activity
        self._look_seconds = look_seconds
        self._most_desks = desks
        self._desks: dict[UUID, EndpointDesk] = {}
        self._crowded: set[UUID] = set()  # organizations with endpoints that wait for a desk
        self._tasks: set[asyncio.Task[None]] = set()
        self._spared: dict[UUID, float] = {}
        self._full_at = -math.inf
        self._news: set[UUID] | None = None  # organizations; None: any
        self._wake = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver until `stopping` is set; what is under way then is settled within 3 s, or sent again later."""
        async with asyncio.TaskGroup() as group:
            background = [
                group.create_task(self._listen(), name="webhook news"),
                group.create_task(self._renew_for_ever(), name="webhook leases"),
            ]
            background.append(group.create_task(self._wake_on(stopping), name="webhook stop"))
            async with asyncio.TaskGroup() as desks:
                while not stopping.is_set():
                    await self._look(desks)
                    if not self._wake.is_set():
                        await set_within(self._wake, self._look_seconds)
                    await set_within(stopping, _QUICK_LOOK_SECONDS)
                await self._close()
            for task in background:
                task.cancel()

    async def _look(self, group: asyncio.TaskGroup) -> None:
        """Open desks for endpoints with something to send, and tell the desks that are open."""
        loop = asyncio.get_running_loop()
        organizations, self._news = self._news, set()
        self._wake.clear()
        if loop.time() - self._full_at >= self._look_seconds:  # for what nobody tells of: retries, lost notifications
            organizations = None
        if organizations is None:
            self._full_at = loop.time()
        self._spared = {endpoint: until for endpoint, until in self._spared.items() if until > loop.time()}
        held = [desk.lease for desk in self._desks.values()]
        try:
            await number_events(self._db)
            found = await self._leases.find(organizations, held, self._spared)
            for endpoint_id in found.keys() & self._desks.keys():
                self._desks[endpoint_id].ask()
            self._crowded -= self._crowded if organizations is None else organizations
            await self._open({one: found[one] for one in found if one not in self._desks}, group)
        except DatabaseError:
            self._news = None  # at the next look, all of it

    async def _open(self, waiting: Mapping[UUID, UUID], group: asyncio.TaskGroup) -> None:
        """Open desks for these endpoints (and their organizations), as far as shares go, and make room for the rest."""
        held = Counter(desk.lease.organization_id for desk in self._desks.values())
        share = fair_share(self._most_desks, _DESKS_EACH, len(held.keys() | set(waiting.values())))
        left: Counter[UUID] = Counter()
        for endpoint_id, organization_id in waiting.items():
            if held[organization_id] >= share or len(self._desks) >= self._most_desks:
                left[organization_id] += 1
            elif await self._open_one(endpoint_id, group):
                held[organization_id] += 1
        self._crowded |= left.keys()
        now = asyncio.get_running_loop().time()
        for desk in desks_to_close(list(self._desks.values()), left, share, now):
            desk.close()

    async def _open_one(self, endpoint_id: UUID, group: asyncio.TaskGroup) -> bool:
        now = asyncio.get_running_loop().time()
        if (lease := await self._leases.take(endpoint_id)) is None:
            return False
        desk = EndpointDesk(lease, self._tools, opened_at=now, proven_until=now + self._good_for)
        self._desks[endpoint_id] = desk
        task = group.create_task(self._serve(desk), name=f"desk of {endpoint_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _serve(self, desk: EndpointDesk) -> None:
        endpoint_id = desk.lease.endpoint_id
        try:
            with self._activity.busy():
                await desk.run()
        except* DatabaseError:
            pass  # it is looked for again in a second
        except* Exception as errors:  # a job's wrapper: one endpoint's trouble is no other's
            first = errors.exceptions[0]
            code = first.code if isinstance(first, ParleyError) else None
            _log.error(
                "webhook.desk_failed", endpoint_id=format_id("whe", endpoint_id), code=code, exc_info=code is None
            )
            self._spared[endpoint_id] = asyncio.get_running_loop().time() + _SPARED_SECONDS
        finally:
            del self._desks[endpoint_id]
            with suppress(DatabaseError):
                await self._leases.release([desk.lease])
            if self._crowded:
                if self._news is not None:
                    self._news |= self._crowded
                self._wake.set()

    async def _close(self) -> None:
        """End all desks; those that are in the middle of an attempt have a moment for it."""
        for desk in self._desks.values():
            desk.close()
        if tasks := list(self._tasks):
            _, late = await asyncio.wait(tasks, timeout=_STOP_SECONDS)
            for task in late:
                task.cancel()

    async def _listen(self) -> None:
        async for channel, _, subject in self._listener:
            if channel == EVENT_CHANNEL and subject is not None and self._news is not None:
                self._news.add(subject)
            else:
                self._news = None
            self._wake.set()

    async def _wake_on(self, stopping: asyncio.Event) -> None:
        await stopping.wait()
        self._wake.set()

    async def _renew_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._leases.lease_seconds / 6)
            desks = list(self._desks.values())
            if not desks:
                continue
            good_until = loop.time() + self._good_for
            try:
                going_on = await self._leases.renew([desk.lease for desk in desks])
            except DatabaseError:
                continue  # desks close by themselves when their lease is over
            for desk in desks:
                if desk.lease.id in going_on:
                    desk.proven_until = good_until
                else:
                    desk.close()
