"""The routes of the service itself: the code registry, health, readiness, metrics and status."""

from importlib.metadata import version

from aiohttp import web

from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.http.serving.readiness import READINESS, Condition
from control_api.http.serving.request_metrics import METRICS
from control_api.service.models import CodeEntry, CodeList, Dependencies, Health, Readiness, ServiceStatus
from sessions.codes import CODES
from sessions.errors import ParleyError


async def list_codes(call: Call) -> web.StreamResponse:
    """The whole registry."""
    data = [
        CodeEntry(
            object="code",
            code=code.code,
            kind=code.kind,
            fault=code.fault,
            retryable=code.retryable,
            billable=code.billable,
            http_status=code.http_status,
            help=code.help,
        )
        for code in CODES.values()
    ]
    return json_answer(CodeList.whole(data))


async def get_health(call: Call) -> web.StreamResponse:
    """The process answers; nothing else is asked."""
    return json_answer(Health(object="health", status="ok"))


async def get_readiness(call: Call) -> web.StreamResponse:
    """200 when requests should be sent here, else 503."""
    condition = await call.request.app[READINESS].check()
    dependencies = _dependencies(condition)
    if condition.code is not None:
        extra = {
            "retry_after_seconds": 1,
            "dependencies": dependencies.model_dump(),
            "troubles": list(condition.troubles),
        }
        raise ParleyError(condition.code, "this server is not ready", extra=extra)
    return json_answer(
        Readiness(
            object="readiness",
            status="degraded" if condition.troubles else "ready",
            dependencies=dependencies,
            troubles=list(condition.troubles),
        )
    )


async def get_metrics(call: Call) -> web.StreamResponse:
    """Prometheus' text format."""
    if not call.dependencies.settings.api_metrics:
        raise ParleyError("not_found", "this server shows its metrics to nobody here")
    metrics = call.request.app[METRICS]
    return web.Response(body=metrics.render(), headers={"Content-Type": metrics.content_type})


async def get_status(call: Call) -> web.StreamResponse:
    """The status of the service, for people."""
    condition = await call.request.app[READINESS].check()
    healthy = condition.database and condition.storage and not condition.troubles
    return json_answer(
        ServiceStatus(
            object="status",
            status="operational" if healthy else "degraded",
            version=version("parley"),
            dependencies=_dependencies(condition),
            troubles=list(condition.troubles),
        )
    )


def _dependencies(condition: Condition) -> Dependencies:
    return Dependencies(
        database="ok" if condition.database else "unavailable",
        storage="ok" if condition.storage else "unavailable",
    )
