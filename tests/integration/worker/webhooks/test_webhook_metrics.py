"""What /metrics says of webhooks, of the processes that post them and of the API."""

from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import text

from control_api.webhooks import delivery_watch
from tests.integration.worker.webhooks.conftest import ALLOWED, Subscribe
from tests.support.running.api_server import ApiServer, api_server
from tests.support.running.stack import eventually
from tests.support.running.webhooks import SOON, Receiver, post_office
from worker.host.monitoring.webhook_metrics import WebhookCollector
from worker.vitals.figure_file import FigureFile
from worker.vitals.webhook_figures import WebhookFigures


async def figures_of(api: ApiServer) -> dict[str, float]:
    """Those of webhooks."""
    page = (await api.call("GET", "/metrics", key=None)).body.decode()
    lines = [line.rpartition(" ") for line in page.splitlines() if line.startswith("parley_api_webhook_")]
    return {name.removeprefix("parley_api_webhook_"): float(value) for name, _, value in lines}


async def shown(api: ApiServer, name: str, least: float, most: float) -> dict[str, float]:
    """The figures, once this one is in these bounds."""

    async def within() -> bool:
        return least <= (await figures_of(api)).get(name, -1) <= most

    await eventually(within, seconds=SOON, what=f"{name} is in its bounds")
    return await figures_of(api)


async def test_what_is_late_and_what_was_disabled(
    database_url: str, tmp_path: Path, hooks: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that nobody posts is overdue; one that waits for its retry is not, but undelivered."""
    monkeypatch.setattr(delivery_watch, "_WATCH_SECONDS", 0.05)

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=410 if request.path == "/gone" else 503)

    hooks.answers |= {"/gone": refuse, "/hook": refuse}
    async with api_server(database_url, tmp_path, **ALLOWED) as api:
        for path in ("/hook", "/gone"):
            wanted = {"url": hooks.url + path, "event_types": ["session.queued"]}
            assert (await api.call("POST", "/v1/webhook_endpoints", wanted)).status == 201
        assert await shown(api, "oldest_undelivered_seconds", 0, 0) == {
            'endpoints_disabled{reason="gone"}': 0,
            'endpoints_disabled{reason="failing"}': 0,
            "overdue_seconds": 0,
            "oldest_undelivered_seconds": 0,
        }
        await api.create("room")
        async with api.dependencies.db.begin() as conn:
            await conn.execute(text("SELECT number_events(100)"))
            await conn.execute(text("UPDATE events SET recorded_at = recorded_at - interval '1 minute'"))
        await shown(api, "overdue_seconds", 60, 120)
        async with post_office(database_url, schedule=(3600,)):
            await shown(api, 'endpoints_disabled{reason="gone"}', 1, 1)
            late = await shown(api, "overdue_seconds", 0, 0)
        assert 0 < late["oldest_undelivered_seconds"] < timedelta(seconds=SOON).total_seconds()


async def test_attempts_are_counted_by_outcome(
    api: ApiServer, hooks: Receiver, subscribe: Subscribe, database_url: str, tmp_path: Path
) -> None:
    """By what became of them, and why they failed, with how long they took."""
    statuses = iter((500, 302, 200))

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=next(statuses))

    hooks.answers["/hook"] = answer
    await subscribe(event_types=["session.queued"])
    figures = WebhookFigures()
    async with post_office(database_url, figures=figures):
        await api.create("room")

        async def counted() -> bool:
            return figures.attempts.total() == 3

        await eventually(counted, seconds=SOON, what="three attempts are counted")
    FigureFile(tmp_path, "webhooks").write(figures.to_json())
    registry = CollectorRegistry()
    registry.register(WebhookCollector(tmp_path))
    page = generate_latest(registry).decode()
    name = "parley_worker_webhook_attempt"
    assert f'{name}s_total{{error="status",outcome="retrying"}} 1.0' in page
    assert f'{name}s_total{{error="redirect",outcome="retrying"}} 1.0' in page
    assert f'{name}s_total{{error="",outcome="succeeded"}} 1.0' in page
    assert f'{name}_seconds_bucket{{le="+Inf"}} 3.0' in page
    assert f"{name}_seconds_sum" in page
