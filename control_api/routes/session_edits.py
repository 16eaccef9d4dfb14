"""`PATCH` and `DELETE /v1/sessions/{session_id}`, `POST …/archive`, `POST …/restore`."""

from typing import cast

from aiohttp import web

from control_api.call import Call
from control_api.dependencies import ERASURE
from control_api.json_answer import json_answer
from control_api.schemas.session_edits import UpdateSessionRequest
from control_api.session_presenter import present_session
from store.session_edits import SessionChanges


async def update_session(call: Call) -> web.StreamResponse:
    """Change title, tags and metadata."""
    body = call.body_as(UpdateSessionRequest)
    changes = cast(SessionChanges, body.model_dump(exclude_unset=True))
    session = await call.dependencies.sessions.update(call.organization_id, call.session_id, changes)
    return json_answer(present_session(session))


async def delete_session(call: Call) -> web.StreamResponse:
    """Erase every byte of content; the bill stays."""
    await call.request.app[ERASURE].erase(call.organization_id, call.session_id)
    return web.Response(status=204)


async def archive_session(call: Call) -> web.StreamResponse:
    """Leave it out of lists; unchanged when it is archived already."""
    return json_answer(present_session(await call.dependencies.sessions.archive(call.organization_id, call.session_id)))


async def restore_session(call: Call) -> web.StreamResponse:
    """Put it back into lists; unchanged when it is not archived."""
    return json_answer(present_session(await call.dependencies.sessions.restore(call.organization_id, call.session_id)))
