"""Runs the application: listens, passes notifications on, sweeps, and stops in steps."""

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine
from contextlib import closing
from typing import Any

import structlog
from aiohttp import web

from control_api.app import build_app
from control_api.events.streams.event_feed import EVENT_FEEDS
from control_api.events.streams.live_feed import LIVE_FEEDS
from control_api.events.streams.open_streams import OPEN_STREAMS
from control_api.http.requests.dependencies import DEPENDENCIES, ApiDependencies
from control_api.http.serving.access_log import CanonicalLine
from control_api.http.serving.connection_bounds import ConnectionBounds
from control_api.http.serving.erasure_watch import ERASURE_WATCH
from control_api.http.serving.http_protocol import EnvelopeRunner
from control_api.http.serving.late_releases import LATE_RELEASES
from control_api.http.serving.readiness import READINESS
from control_api.http.serving.request_metrics import METRICS
from control_api.sessions.notifications import NOTIFICATIONS
from control_api.webhooks.delivery_watch import DELIVERY_WATCH
from sessions.errors import ParleyError
from store.access.idempotency import RENEW_SECONDS, Idempotency
from store.sweeping.sweeper import SWEEP_SECONDS, Sweeper

GRACE_SECONDS = 10.0
ABANDON_SECONDS = 1.0  # for what is still going on after the grace

_log = structlog.get_logger(__name__)


async def serve(
    dependencies: ApiDependencies,
    *,
    stopping: asyncio.Event,
    host: str | None = None,
    port: int | None = None,
    on_ready: Callable[[str], None] | None = None,
    grace_seconds: float = GRACE_SECONDS,
) -> None:
    """Serve until `stopping` is set, then finish what has begun within `grace_seconds`.

    Args:
        host, port: the settings' unless given; port 0 takes any free one.
        on_ready: called with the base URL (`http://127.0.0.1:8080`) once requests are accepted.

    Raises:
        OSError: the address can't be listened on.
    """
    settings = dependencies.settings
    listening = _listen(settings.api_host if host is None else host, settings.api_port if port is None else port)
    with closing(listening):
        base_url = _base_url(listening)
        app = build_app(dependencies, base_url=base_url)
        runner = EnvelopeRunner(
            app,
            bounds=ConnectionBounds(settings.api_connections, settings.api_connections_per_address),
            handle_signals=False,
            shutdown_timeout=ABANDON_SECONDS,
            access_log_class=CanonicalLine,
            access_log=logging.getLogger("aiohttp.access"),
            auto_decompress=False,
            lingering_time=1.0,
            keepalive_timeout=75.0,
        )
        await runner.setup()
        try:
            async with asyncio.TaskGroup() as group:
                background = [group.create_task(chore, name=name) for name, chore in _chores(app).items()]
                await web.SockSite(runner, listening).start()
                _log.info("api.listening", url=base_url)
                if on_ready is not None:
                    on_ready(base_url)
                await stopping.wait()
                app[READINESS].stopping = True
                app[OPEN_STREAMS].stop()
                app[NOTIFICATIONS].stop()
                await runner.stop_in_steps(grace_seconds)
                for task in background:
                    task.cancel()
        finally:
            await runner.cleanup()
    _log.info("api.stopped")


def _chores(app: web.Application) -> dict[str, Coroutine[Any, Any, None]]:
    """What goes on beside the requests, by name."""
    dependencies = app[DEPENDENCIES]
    return {
        "notifications": _pass_on(app),
        "event feeds": app[EVENT_FEEDS].run(),
        "live feeds": app[LIVE_FEEDS].run(),
        "keys of streams": app[OPEN_STREAMS].watch_keys(dependencies.api_keys),
        "late releases": app[LATE_RELEASES].run(dependencies.idempotency),
        "idempotency leases": _renew_for_ever(dependencies.idempotency),
        "sweeper": _sweep_for_ever(app),
        "erasure watch": app[ERASURE_WATCH].watch(),
        "delivery watch": app[DELIVERY_WATCH].watch(),
    }


async def _pass_on(app: web.Application) -> None:
    """Tell everybody who waits what the database notifies of, for ever."""
    async for channel, _, subject in app[DEPENDENCIES].listener:
        app[NOTIFICATIONS].heard(channel, subject)
        app[EVENT_FEEDS].heard(channel, subject)
        app[LIVE_FEEDS].heard(channel, subject)


async def _sweep_for_ever(app: web.Application) -> None:
    dependencies, metrics = app[DEPENDENCIES], app[METRICS]
    sweeper = Sweeper(dependencies.db, dependencies.settings)
    while True:
        try:
            await sweeper.sweep()
        except Exception as error:  # the maintenance loop goes on whatever one sweep meets
            metrics.sweeps.labels("failed").inc()
            code = error.code if isinstance(error, ParleyError) else None
            _log.warning("sweep.failed", error=type(error).__name__, code=code, exc_info=code is None)
        else:
            metrics.sweeps.labels("done").inc()
        await asyncio.sleep(SWEEP_SECONDS)


async def _renew_for_ever(idempotency: Idempotency) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await idempotency.renew()
        except Exception as error:  # the maintenance loop goes on whatever one renewal meets
            code = error.code if isinstance(error, ParleyError) else None
            _log.warning("leases.not_renewed", error=type(error).__name__, code=code, exc_info=code is None)


def _listen(host: str, port: int) -> socket.socket:
    """Listen; `::` takes connections of both families."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024, dualstack_ipv6=host == "::")


def _base_url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
