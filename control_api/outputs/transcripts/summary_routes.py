"""`GET …/summary` and `POST …/summary`: the last run, what it made, and another one."""

import json
from typing import Any

from aiohttp import web

from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import SUMMARIES
from control_api.outputs.transcripts.models import SummaryResource
from sessions.errors import ParleyError, session_not_found
from sessions.ids import format_id
from sessions.texts.timestamps import format_timestamp
from store.objects.errors import ObjectMissing
from store.outputs.summaries import SummaryRun, workflow_id


async def get_summary(call: Call) -> web.StreamResponse:
    """The summary as it is; nothing is started."""
    session = await call.dependencies.sessions.queries.get(call.organization_id, call.session_id)
    run = await call.request.app[SUMMARIES].get(session.id)
    if run is None:
        return json_answer(_never(format_id("sess", session.id), workflow_id(session.id)))
    return json_answer(await _present(call, run))


async def regenerate_summary(call: Call) -> web.StreamResponse:
    """Start a run, unless one is going on."""
    session = await call.dependencies.sessions.queries.get(call.organization_id, call.session_id)
    run = await call.request.app[SUMMARIES].request(session.id, again=True)
    if run is None:
        raise session_not_found()
    return json_answer(await _present(call, run), status=202)


async def stored_summary(call: Call, run: SummaryRun) -> Any:
    """What `summary.json` holds; None when it isn't there (any more)."""
    if run.object_key is None:
        return None
    try:
        return json.loads(await call.dependencies.objects.get(run.object_key))
    except ObjectMissing:
        return None


def failure_of(run: SummaryRun) -> ParleyError:
    """The error that answers for a run that failed."""
    return ParleyError("summary.failed", f"the summary was not made: {run.message or run.code}; regenerate it")


def _never(session_name: str, workflow: str) -> SummaryResource:
    return SummaryResource(
        object="summary",
        session_id=session_name,
        status="none",
        workflow_id=workflow,
        run_id=None,
        is_current=False,
        requested_at=None,
        finished_at=None,
        error=None,
        content=None,
    )


async def _present(call: Call, run: SummaryRun) -> SummaryResource:
    return SummaryResource.model_validate(
        {
            "object": "summary",
            "session_id": format_id("sess", run.session_id),
            "status": run.state,
            "workflow_id": run.workflow_id,
            "run_id": format_id("run", run.run_id),
            "is_current": run.is_current,
            "requested_at": format_timestamp(run.requested_at),
            "finished_at": format_timestamp(run.finished_at),
            "error": None if run.code is None else {"code": run.code, "message": run.message},
            "content": await stored_summary(call, run),
        }
    )
