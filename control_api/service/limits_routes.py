"""`GET /v1/limits`."""

from aiohttp import web

from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.http.requests.request_limits import REQUEST_LIMITS
from control_api.service.limits_models import CountLimit, LimitsReport, RateLimit
from sessions.ids import format_id
from store.access.answer_bytes import kept_answer_bytes
from store.sessions.quota import count_sessions


async def get_limits(call: Call) -> web.StreamResponse:
    """The organization's limits and what is used of them."""
    buckets = call.request.app[REQUEST_LIMITS]
    limits, left = buckets.of(call.principal), buckets.left(call.principal)
    async with call.dependencies.db.begin() as conn:
        load = await count_sessions(conn, call.organization_id)
        answers = await kept_answer_bytes(conn, call.organization_id)
    keys = await call.dependencies.api_keys.count(call.organization_id)
    return json_answer(
        LimitsReport(
            object="limits",
            organization_id=format_id("org", call.organization_id),
            requests_per_second=_rate(limits.requests_per_second, left.get("organization")),
            key_requests_per_second=_rate(limits.key_requests_per_second, left.get("key")),
            creates_per_minute=_rate(limits.creates_per_minute, left.get("creates")),
            messages_per_minute=_rate(limits.messages_per_minute, limits.messages_per_minute),
            concurrent_sessions=_count(limits.concurrent_sessions, load.concurrent),
            queued_sessions=_count(limits.queued_sessions, load.queued),
            api_keys=_count(limits.api_keys, keys),
            answers_mb=_count(limits.answers_mb, answers // 1_000_000),
        )
    )


def _rate(limit: int, left: int | None) -> RateLimit:
    return RateLimit(limit=limit or None, remaining=left if limit else None)


def _count(limit: int, used: int) -> CountLimit:
    return CountLimit(limit=limit or None, used=used, remaining=max(0, limit - used) if limit else None)
