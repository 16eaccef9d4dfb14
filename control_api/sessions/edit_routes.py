"""`PATCH /v1/sessions/{session_id}` and `DELETE /v1/sessions/{session_id}`."""

from typing import cast

from aiohttp import web

from control_api.http.answers.json_answer import json_answer
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import ERASURE
from control_api.sessions.bodies.presenter import present_session
from control_api.sessions.bodies.request_models import UpdateSessionRequest
from store.sessions.edits import SessionChanges


async def update_session(call: Call) -> web.StreamResponse:
    """Change title, tags and metadata."""
    body = call.body_as(UpdateSessionRequest)
    changes = cast(SessionChanges, body.model_dump(exclude_unset=True))
    session = await call.dependencies.sessions.edits.update(call.organization_id, call.session_id, changes)
    return json_answer(present_session(session, content=call.reads_content))


async def delete_session(call: Call) -> web.StreamResponse:
    """Erase every byte of content; the bill stays."""
    await call.request.app[ERASURE].erase(call.organization_id, call.session_id)
    return web.Response(status=204)
