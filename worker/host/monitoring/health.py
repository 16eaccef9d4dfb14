"""What a worker says about itself: /healthz (it runs), /readyz (it can take and store sessions), /metrics."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from sessions.errors import ParleyError
from store.objects.errors import StorageError

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
        await web.SockSite(runner, _listen(host, port)).start()
        bound_host, bound_port = runner.addresses[0][:2]
        shown = f"[{bound_host}]" if ":" in bound_host else bound_host
        url = f"http://{shown}:{bound_port}"
        _log.info("health.listening", url=url)
        yield url
    finally:
        await runner.cleanup()


def _listen(host: str, port: int) -> socket.socket:
    """Listen; `::` takes connections of both families."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, dualstack_ipv6=host == "::")


def _build_app(checks: Mapping[str, Check], metrics: CollectorRegistry) -> web.Application:
    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_request: web.Request) -> web.Response:
        answers = {name: await _ask(check) for name, check in checks.items()}
        ready = all(answer.code == "ok" for answer in answers.values())
        body = {
            "status": "ready" if ready else "not_ready",
            "checks": {name: answer.code for name, answer in answers.items()},
            "troubles": [f"{name}: {answer.trouble}" for name, answer in answers.items() if answer.trouble is not None],
        }
        return web.json_response(body, status=200 if ready else 503)

    async def show_metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", show_metrics)])
    return app


@dataclass(frozen=True, slots=True)
class _Answer:
    code: str
    trouble: str | None = None


async def _ask(check: Check) -> _Answer:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await check()
    except StorageError as error:
        return _Answer(error.code, error.trouble)
    except ParleyError as error:
        return _Answer(error.code, error.message)
    except (TimeoutError, OSError) as error:
        return _Answer(type(error).__name__, f"no answer within {_CHECK_SECONDS:g} s or none at all")
    return _Answer("ok")
