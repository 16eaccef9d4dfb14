"""All deliveries of one process: finds endpoints with something to send, leases them, opens a desk for each."""

import asyncio
import math
from contextlib import suppress
from uuid import UUID

import structlog

from sessions.errors import DatabaseError, ParleyError
from sessions.ids import format_id
from store.database.database import Database
from store.database.notify.channels import EVENT_CHANNEL
from store.database.notify.notifications import Listener
from store.events.numbering import number_events
from store.waiting.set_within import set_within
from store.webhooks.endpoint_leases import EndpointLeases
from worker.vitals.activity import Activity
from worker.webhooks.endpoint_desk import DeskTools, EndpointDesk

LOOK_SECONDS = 1.0
_QUICK_LOOK_SECONDS = 0.05  # between two looks that notifications ask for
_MOST_DESKS = 500
_SPARED_SECONDS = 60.0  # an endpoint whose desk broke
_STOP_SECONDS = 3.0

_log = structlog.get_logger(__name__)


class PostOffice:
    """Delivers for as long as it runs.

    Args:
        attempt_seconds: how long one attempt may take; a lease is good for one more when an attempt begins.
        activity: is busy while a desk is open.
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
    ) -> None:
        self._db = db
        self._leases = leases
        self._tools = tools
        self._listener = listener
        self._good_for = leases.lease_seconds - attempt_seconds
        self._activity = activity
        self._look_seconds = look_seconds
        self._desks: dict[UUID, EndpointDesk] = {}
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
            for endpoint_id in found:
                if (desk := self._desks.get(endpoint_id)) is not None:
                    desk.ask()
                elif len(self._desks) < _MOST_DESKS:
                    good_until = loop.time() + self._good_for
                    if (lease := await self._leases.take(endpoint_id)) is not None:
                        desk = EndpointDesk(lease, self._tools, proven_until=good_until)
                        self._desks[endpoint_id] = desk
                        task = group.create_task(self._serve(desk), name=f"desk of {endpoint_id}")
                        self._tasks.add(task)
                        task.add_done_callback(self._tasks.discard)
        except DatabaseError:
            self._news = None  # at the next look, all of it

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

    async def _close(self) -> None:
        """End all desks; those that are in the middle of an attempt have a moment for it."""
        for desk in self._desks.values():
            desk.close()
        if tasks := list(self._tasks):
            _, late = await asyncio.wait(tasks, timeout=_STOP_SECONDS)
            for task in late:
                task.cancel()

    async def _listen(self) -> None:
        async for channel, payload in self._listener:
            if channel == EVENT_CHANNEL and self._news is not None:
                self._news.add(UUID(payload))
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
