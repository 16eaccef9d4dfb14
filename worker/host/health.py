"""What a worker says about itself: /healthz (it runs), /readyz (it can take and store sessions), /metrics."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from sessions.errors import ParleyError

Check = Callable[[], Awaitable[None]]
"""Raises ParleyError or OSError when something that the worker depends on is not usable."""

_log = structlog.get_logger(__name__)

_CHECK_SECONDS = 5.0


@asynccontextmanager
async def serve_health(
    host: str, port: int, *, checks: Mapping[str, Check], metrics: CollectorRegistry
) -> AsyncIterator[str]:
    """Serve until the block is left; yields the base URL, which tells the port where port 0 asked for a free one.

    Raises:
        OSError: the port is taken.
    """
    runner = web.AppRunner(_build_app(checks, metrics), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound_host, bound_port = runner.addresses[0][:2]
        shown = f"[{bound_host}]" if ":" in bound_host else bound_host
        url = f"http://{shown}:{bound_port}"
        _log.info("health.listening", url=url)
        yield url
    finally:
        await runner.cleanup()


def _build_app(checks: Mapping[str, Check], metrics: CollectorRegistry) -> web.Application:
    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_request: web.Request) -> web.Response:
        answers = {name: await _ask(check) for name, check in checks.items()}
        ready = all(answer == "ok" for answer in answers.values())
        body = {"status": "ready" if ready else "not_ready", "checks": answers}
        return web.json_response(body, status=200 if ready else 503)

    async def show_metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", show_metrics)])
    return app


async def _ask(check: Check) -> str:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await check()
    except ParleyError as error:
        return error.code
    except (TimeoutError, OSError) as error:
        return type(error).__name__
    return "ok"
