"""Receivers of webhooks, good and bad, and the process that delivers to them, in this process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import SecretStr
from standardwebhooks import Webhook

from sessions.destinations.webhook_url import UrlRules
from store.access.vault import TokenVault
from store.database.clock import DatabaseClock
from store.database.database import Database
from store.database.notify.channels import EVENT_CHANNEL, WEBHOOK_CHANNEL
from store.database.notify.notifications import Listener
from store.events.organization_events import OrganizationEvents
from store.webhooks.delivery_queue import DeliveryQueue
from store.webhooks.endpoint_leases import EndpointLeases
from store.webhooks.signing_secrets import SigningSecrets
from tests.support.running.api_server import SECRET
from worker.vitals.activity import Activity
from worker.vitals.webhook_figures import WebhookFigures
from worker.webhooks.endpoint_desk import DeskTools
from worker.webhooks.organization_slots import OrganizationSlots
from worker.webhooks.post_office import PostOffice
from worker.webhooks.sender import Sender

ANYWHERE = UrlRules(allow_http=True, allow_private_hosts=True, ports=frozenset())
SOON = 30.0  # seconds; test machines are busy

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    def verified(self, secret: str) -> Any:
        """The body, once a receiver's library has found its signature good."""
        return Webhook(secret).verify(self.body, dict(self.headers))


@dataclass
class Receiver:
    """A server on loopback.

    Attributes:
        answers: path → what it does; other paths answer 204.
        received: every request that came whole.
        most_at_once: path → how many requests were there at the same time.
    """

    url: str = ""
    answers: dict[str, Answering] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    most_at_once: dict[str, int] = field(default_factory=dict)
    _now: dict[str, int] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def of(self, path: str) -> list[Received]:
        """What came to this path."""
        return [request for request in self.received if request.path == path]

    async def until(self, count: int, path: str | None = None, *, seconds: float = SOON) -> list[Received]:
        """Wait for so many requests; those that came."""
        async with asyncio.timeout(seconds):
            while True:
                came = self.received if path is None else self.of(path)
                if len(came) >= count:
                    return came
                self._news.clear()
                await self._news.wait()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        path = request.path
        self.received.append(Received(path, request.headers.copy(), body, asyncio.get_running_loop().time()))
        self._news.set()
        self._now[path] = self._now.get(path, 0) + 1
        self.most_at_once[path] = max(self.most_at_once.get(path, 0), self._now[path])
        try:
            answering = self.answers.get(path)
            return web.Response(status=204) if answering is None else await answering(request)
        finally:
            self._now[path] -= 1


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """One that answers until the block ends."""
    self = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", self._handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield self
    finally:
        await runner.cleanup()


@asynccontextmanager
async def post_office(
    database_url: str,
    *,
    rules: UrlRules = ANYWHERE,
    attempt_seconds: float = 5.0,
    lease_seconds: float = 10.0,
    schedule: tuple[float, ...] = (0.05, 0.05),
    failing_days: float = 5.0,
    look_seconds: float = 0.1,
    figures: WebhookFigures | None = None,
    desks: int = 500,
    slots: OrganizationSlots | None = None,
) -> AsyncIterator[PostOffice]:
    """What `parley webhooks` runs, until the block ends."""
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(
            Database.open(database_url, timeout_seconds=15, application_name="test webhooks", pool_size=2)
        )
        listener = await stack.enter_async_context(
            Listener.open(database_url, channels=(EVENT_CHANNEL, WEBHOOK_CHANNEL))
        )
        sender = await stack.enter_async_context(Sender.open(rules, seconds=attempt_seconds))
        tools = DeskTools(
            DeliveryQueue(db, OrganizationEvents(db), failing_days=failing_days),
            SigningSecrets(TokenVault([SecretStr(SECRET.get_secret_value())])),
            sender,
            slots or OrganizationSlots(),
            DatabaseClock(db.clock),
            schedule,
            figures or WebhookFigures(),
        )
        office = PostOffice(
            db,
            EndpointLeases(db, lease_seconds=lease_seconds),
            tools,
            listener,
            attempt_seconds=attempt_seconds,
            activity=Activity(),
            look_seconds=look_seconds,
            desks=desks,
        )
        stopping = asyncio.Event()
        task = asyncio.create_task(office.run(stopping))
        try:
            yield office
        finally:
            stopping.set()
            await task
