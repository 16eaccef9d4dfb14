"""`GET /v1/operator/overview`."""

import asyncio

from aiohttp import web

from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.http.serving.readiness import READINESS
from control_api.service.operator.presenter import present_overview
from store.database.time_bound import database_time_bound
from store.installation.overview import look_over


async def get_overview(call: Call) -> web.StreamResponse:
    """The installation in numbers."""
    dependencies = call.dependencies
    with database_time_bound(dependencies.settings.database_timeout_seconds):
        found = await look_over(dependencies.db)
    condition = await call.request.app[READINESS].check()
    overview = present_overview(
        found,
        sessions_per_process=dependencies.settings.sessions_per_process,
        storage_answers=condition.storage,
        troubles=condition.troubles,
        local=dependencies.objects.is_local,
        free_bytes=await asyncio.to_thread(dependencies.objects.free_bytes),
    )
    return json_answer(overview, headers={"Cache-Control": "no-store"})
