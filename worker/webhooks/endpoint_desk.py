"""One leased endpoint: its deliveries, a few at a time, until there is nothing more to send now."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import RowMapping

from sessions.ids import format_id
from sessions.webhooks.retry_schedule import retry_delay_seconds
from sessions.webhooks.signing import signed_headers
from store.access.vault import TokenUnreadableError
from store.database.clock import DatabaseClock
from store.database.until_answered import until_answered
from store.webhooks.delivery_queue import DeliveryQueue, DueDelivery, Outcome
from store.webhooks.endpoint import DisabledReason
from store.webhooks.endpoint_leases import EndpointLease
from store.webhooks.signing_secrets import SigningSecrets
from worker.vitals.webhook_figures import WebhookFigures
from worker.webhooks.organization_slots import OrganizationSlots
from worker.webhooks.sample_event import sample_event
from worker.webhooks.sender import Answer, Sender

LANES = 4
"""Requests to one endpoint that are under way at the same time."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DeskTools:
    """What every desk works with."""

    queue: DeliveryQueue
    secrets: SigningSecrets
    sender: Sender
    slots: OrganizationSlots
    clock: DatabaseClock
    schedule: Sequence[float]
    figures: WebhookFigures


class EndpointDesk:
    """Delivers to one endpoint.

    Attributes:
        proven_until: the loop's time until which no other process delivers to it; no attempt begins later.
        opened_at: the loop's time.
    """

    def __init__(self, lease: EndpointLease, tools: DeskTools, *, opened_at: float, proven_until: float) -> None:
        self.lease = lease
        self.opened_at = opened_at
        self.proven_until = proven_until
        self._tools = tools
        self._ready: deque[DueDelivery] = deque()
        self._in_flight: set[UUID] = set()
        self._refilling = asyncio.Lock()
        self._asked, self._looked = 1, 0
        self._lanes = self._attempts = 0
        self._waiting: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether it begins no more attempts."""
        return self._closed

    @property
    def waits(self) -> bool:
        """Whether none of its requests is under way."""
        return not self._attempts

    def ask(self) -> None:
        """Look again: there may be something new."""
        self._asked += 1
        if self._lanes:
            self._open_lane()

    def close(self) -> None:
        """Begin no more attempts; those that are under way end as they do."""
        self._closed = True
        for lane in self._waiting:
            lane.cancel()

    async def run(self) -> None:
        """Deliver until there is nothing to do, or the desk is closed.

        Raises:
            ParleyError: the database is away, or the endpoint's secret cannot be opened. Nothing is lost.
        """
        while self._asked != self._looked and not self._closed:
            async with asyncio.TaskGroup() as self._group:
                self._open_lane()

    def _open_lane(self) -> None:
        if self._lanes < LANES and not self._closed:
            self._lanes += 1
            self._group.create_task(self._deliver_all(), name=f"lane of {self.lease.endpoint_id}")

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """A slot for one request; whoever waits for it leaves when the desk closes."""
        lane = asyncio.current_task()
        assert lane is not None
        async with AsyncExitStack() as held:
            self._waiting.add(lane)
            try:
                await held.enter_async_context(self._tools.slots.slot(self.lease.organization_id))
            finally:
                self._waiting.discard(lane)
            self._attempts += 1
            try:
                yield
            finally:
                self._attempts -= 1

    async def _deliver_all(self) -> None:
        try:
            while (due := await self._next()) is not None:
                if self._ready:
                    self._open_lane()
                try:
                    await self._deliver(due)
                finally:
                    self._in_flight.discard(due.id)
        finally:
            self._lanes -= 1

    async def _next(self) -> DueDelivery | None:
        async with self._refilling:
            while not self._ready:
                if self._closed or self._asked == self._looked:
                    return None
                self._looked = self._asked
                refilled = await self._tools.queue.refill(self.lease, self._in_flight)
                if refilled is None:
                    self.close()
                    return None
                self._ready.extend(refilled.due)
                if refilled.more:
                    self._asked += 1
            due = self._ready.popleft()
            self._in_flight.add(due.id)
            return due

    async def _deliver(self, due: DueDelivery) -> None:
        if self._closed:
            return
        async with self._slot():
            loop = asyncio.get_running_loop()
            if loop.time() >= self.proven_until:
                self.close()
            # Not as the refill found it: what was changed since, and the change answered, holds for this attempt.
            endpoint = None if self._closed else await self._tools.queue.endpoint(self.lease)
            if endpoint is None:
                self.close()
                return
            at = await self._tools.clock.now()
            began = loop.time()
            answer = await self._attempt(endpoint, due)
            ms = round((loop.time() - began) * 1000)
        retry = retry_delay_seconds(due.tries + 1, self._tools.schedule, random.random())
        if due.position is None or answer.error in _FINAL:  # a test is sent once
            retry = None
        disables: DisabledReason | None = "gone" if answer.gone else None
        outcome = Outcome(at, ms, answer.status, answer.error, answer.text, retry, disables)
        if outcome.disables is not None:
            self.close()
        await until_answered(lambda: self._tools.queue.settle(self.lease, due, outcome))
        if answer.error is None:
            self._tools.figures.count("succeeded", None, ms / 1000)
        else:
            self._tools.figures.count("failed" if retry is None else "retrying", answer.error, ms / 1000)
        _log.info(
            "webhook.attempted",
            endpoint_id=format_id("whe", self.lease.endpoint_id),
            event_id=format_id("evt", due.event_id),
            type=due.event_type,
            attempt=due.attempts_made + 1,
            status=answer.status,
            error=answer.error,
            ms=ms,
        )

    async def _attempt(self, endpoint: RowMapping, due: DueDelivery) -> Answer:
        tools = self._tools
        if due.position is None:
            body = sample_event(endpoint["organization_id"], endpoint["id"], due)
        else:
            event = await tools.queue.event(endpoint["organization_id"], due)
            if event is None:
                return Answer(error="event_expired")
            body = event.body(content=endpoint["reads_content"])
        now = await tools.clock.now()
        try:
            secrets = [secret.get_secret_value() for secret in tools.secrets.signing(endpoint, now)]
        except TokenUnreadableError:
            return Answer(error="secret_unreadable")
        headers = signed_headers(format_id("evt", due.event_id), now, body, secrets)
        return await tools.sender.post(endpoint["url"], body, headers)


_FINAL = frozenset({"event_expired"})
