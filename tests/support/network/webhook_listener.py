"""A customer's receiver of webhooks, which believes nothing that isn't signed."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from standardwebhooks import Webhook

from tests.support.network.known_ports import bound_on_one_port


@dataclass
class WebhookListener:
    """What came, in order.

    Attributes:
        url: where to post.
        secret: set by the test; nothing is taken without.
        status: the answer to what is rightly signed.
        most: so many are answered, the next one never is; None: all are.
        bodies: of what was rightly signed.
        ids: `webhook-id` of each.
        refused: how much was not.
        held: set when one is not answered.
    """

    url: str = ""
    secret: str = ""
    status: int = 200
    most: int | None = None
    bodies: list[bytes] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    refused: int = 0
    held: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        """One webhook."""
        body = await request.read()
        try:
            Webhook(self.secret).verify(body, dict(request.headers))
        except Exception:
            self.refused += 1
            return web.Response(status=401, text="the signature is wrong")
        if self.most is not None and len(self.bodies) >= self.most:
            self.held.set()
            await asyncio.Event().wait()
        self.bodies.append(body)
        self.ids.append(request.headers["webhook-id"])
        return web.Response(status=self.status, text="taken" if self.status < 300 else "the receiver is broken")


@asynccontextmanager
async def webhook_listener(port: int | None = None) -> AsyncIterator[WebhookListener]:
    """One on loopback, at a free port that stays free after it, or at that one."""
    listener = WebhookListener()
    app = web.Application()
    app.router.add_post("/hook", listener.take)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", port)) if port else bound_on_one_port("127.0.0.1")[0]
    await web.SockSite(runner, listening).start()
    listener.url = f"http://127.0.0.1:{listening.getsockname()[1]}/hook"
    try:
        yield listener
    finally:
        await runner.cleanup()
