"""`POST …/end`, `…/cancel`, `…/pause`, `…/resume`, `…/archive` and `…/restore`, and `PUT …/worker_token`."""

from aiohttp import web

from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.sessions.bodies.presenter import present_session
from control_api.sessions.bodies.request_models import ReplaceWorkerTokenRequest
from sessions.destinations.worker_token import read_worker_token, require_stream_grants
from sessions.errors import ParleyError
from sessions.lifecycle.lifecycle import SETTLED


async def end_session(call: Call) -> web.StreamResponse:
    """Stop recording and keep what there is; unchanged when it has been settled before."""
    session = await call.dependencies.sessions.commands.end(call.organization_id, call.session_id)
    return json_answer(present_session(session, content=call.reads_content))


async def cancel_session(call: Call) -> web.StreamResponse:
    """Stop at once, without draining; unchanged when it has been settled before."""
    session = await call.dependencies.sessions.commands.cancel(call.organization_id, call.session_id)
    return json_answer(present_session(session, content=call.reads_content))


async def pause_session(call: Call) -> web.StreamResponse:
    """Record and bill nothing from now on; unchanged when it is paused already."""
    session = await call.dependencies.sessions.commands.pause(call.organization_id, call.session_id)
    return json_answer(present_session(session, content=call.reads_content))


async def resume_session(call: Call) -> web.StreamResponse:
    """Record and bill again; unchanged when it is running already."""
    session = await call.dependencies.sessions.commands.resume(call.organization_id, call.session_id)
    return json_answer(present_session(session, content=call.reads_content))


async def replace_worker_token(call: Call) -> web.StreamResponse:
    """Take a fresh token for the same room and identity."""
    sessions = call.dependencies.sessions
    token = call.body_as(ReplaceWorkerTokenRequest).worker_token
    session = await sessions.queries.get(call.organization_id, call.session_id)
    if session.transport is None or session.status in SETTLED:
        raise ParleyError("transition.invalid", f"a session that is {session.status} takes no worker token")
    now = call.principal.asked_at
    try:
        claims = read_worker_token(
            token,
            now=now if session.start_at is None else max(now, session.start_at),
            room_name=session.transport.room_name,
            worker_identity=session.transport.worker_identity,
        )
        if session.transport.audio_source == "data_stream":
            require_stream_grants(claims)
        session = await sessions.commands.replace_token(call.organization_id, call.session_id, token, claims)
    except ParleyError as error:
        if error.param is not None:
            error.param = "worker_token"  # here the body has it at the top
        raise
    return json_answer(present_session(session, content=call.reads_content))


async def archive_session(call: Call) -> web.StreamResponse:
    """Leave it out of lists; unchanged when it is archived already."""
    session = await call.dependencies.sessions.edits.archive(call.organization_id, call.session_id)
    return json_answer(present_session(session, content=call.reads_content))


async def restore_session(call: Call) -> web.StreamResponse:
    """Put it back into lists; unchanged when it is not archived."""
    session = await call.dependencies.sessions.edits.restore(call.organization_id, call.session_id)
    return json_answer(present_session(session, content=call.reads_content))
