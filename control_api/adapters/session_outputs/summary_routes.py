"""`GET /v1/sessions/summary` and `POST /v1/sessions/summary/regenerate`."""

from aiohttp import web

from control_api.adapters.session_outputs.addressed_session import session_of
from control_api.adapters.session_outputs.models import (
    GeneratingPayload,
    RegenerateRequest,
    RegeneratingPayload,
    SummaryPayload,
)
from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import SUMMARIES
from control_api.outputs.transcripts.summary_routes import failure_of, stored_summary
from sessions.errors import ParleyError, session_not_found
from sessions.ids import format_id
from sessions.session import Session
from store.outputs.summaries import SummaryRun


async def get_summary(call: Call) -> web.StreamResponse:
    """The cached summary if it is of the transcript as it is now; otherwise a run is started."""
    instant = call.query["instant_voice_links"]
    session = await _matching(call, call.query["sessionId"], call.query["projectId"], instant=instant)
    run = await _request(call, session, again=False)
    name = format_id("sess", session.id)
    if run.is_current and run.state != "generating":
        summary = await stored_summary(call, run)
        if summary is not None:
            return json_answer(SummaryPayload(success=True, session_id=name, summary=summary))
        run = await _request(call, session, again=True)  # somebody took the file away
    if run.state == "failed":
        raise failure_of(run)
    return json_answer(
        GeneratingPayload(
            success=False,
            session_id=name,
            generating=True,
            workflow_id=run.workflow_id,
            run_id=format_id("run", run.run_id),
        ),
        status=202,
    )


async def regenerate_summary(call: Call) -> web.StreamResponse:
    """Start a run whatever summary there is, unless a run is going on already."""
    body = call.body_as(RegenerateRequest)
    session = await _matching(
        call, body.session_id, body.project_id or "", instant=body.instant_voice_links, code="field.required"
    )
    run = await _request(call, session, again=True)
    return json_answer(
        RegeneratingPayload(
            success=True,
            session_id=format_id("sess", session.id),
            workflow_id=run.workflow_id,
            run_id=format_id("run", run.run_id),
        ),
        status=202,
    )


async def _matching(
    call: Call, session_id: str, project_id: str, *, instant: bool, code: str = "parameter.required"
) -> Session:
    """The session, if it is of `project_id` (unless that is empty) and, when `instant`, of no project."""
    if not session_id:
        raise ParleyError(code, "sessionId is required", param="sessionId")
    session = await session_of(call, session_id)
    if project_id and session.project_id != project_id:
        raise session_not_found()
    if instant and session.project_id is not None:
        raise session_not_found()
    return session


async def _request(call: Call, session: Session, *, again: bool) -> SummaryRun:
    run = await call.request.app[SUMMARIES].request(session.id, again=again)
    if run is None:
        raise session_not_found()
    return run
