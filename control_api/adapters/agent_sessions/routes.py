"""`/v1/agents/{agent_id}/sessions`. Admission has checked that the key and the session belong to the path's agent."""

from datetime import datetime
from functools import partial
from typing import Literal

from aiohttp import web

from control_api.adapters.agent_sessions.models import (
    AgentSession,
    HistoryMessage,
    RenameRequest,
)
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import ERASURE
from control_api.http.serving.long_answer import long_list
from control_api.messages.message_pages import message_pages
from control_api.sessions.session_pages import session_pages
from sessions.errors import session_not_found
from sessions.ids import format_id
from sessions.session import Session
from sessions.texts.timestamps import MILLISECOND, UNIX_EPOCH
from store.sessions.filter import SessionFilter
from store.sessions.log.session_log import LogEntry


async def list_agent_sessions(call: Call) -> web.StreamResponse:
    """The agent's sessions that are not archived, newest first."""
    return await _page(call, "false")


async def list_archived_sessions(call: Call) -> web.StreamResponse:
    """The agent's archived sessions, newest first."""
    return await _page(call, "true")


async def get_history(call: Call) -> web.StreamResponse:
    """The session's messages, oldest first."""
    return await long_list(call, message_pages(call, _message), lambda last: str(last.seq))


async def rename_session(call: Call) -> web.StreamResponse:
    """Rename the session: its label is its title."""
    label = call.body_as(RenameRequest).label
    await call.dependencies.sessions.edits.update(call.organization_id, call.session_id, {"title": label})
    return _no_content()


async def archive_session(call: Call) -> web.StreamResponse:
    """Archive the session; archiving it again changes nothing."""
    await call.dependencies.sessions.edits.archive(call.organization_id, call.session_id)
    return _no_content()


async def restore_session(call: Call) -> web.StreamResponse:
    """Restore the session; restoring it again changes nothing."""
    await call.dependencies.sessions.edits.restore(call.organization_id, call.session_id)
    return _no_content()


async def delete_session(call: Call) -> web.StreamResponse:
    """Erase the session's content; the bill stays."""
    await call.request.app[ERASURE].erase(call.organization_id, call.session_id)
    return _no_content()


async def delete_archived_session(call: Call) -> web.StreamResponse:
    """Like `delete_session`, for archived sessions; a session that is not archived is not found."""
    session = await call.dependencies.sessions.queries.get(call.organization_id, call.session_id)
    if session.archived_at is None:
        raise session_not_found()
    return await delete_session(call)


async def _page(call: Call, archived: Literal["true", "false"]) -> web.StreamResponse:
    wanted = SessionFilter(agent_id=call.agent, archived=archived)
    pages = session_pages(call, wanted, partial(_session, content=call.reads_content))
    return await long_list(call, pages, lambda last: last.key)


def _session(session: Session, *, content: bool) -> AgentSession:
    return AgentSession.model_validate(
        {
            "object": "agent_session",
            "key": format_id("sess", session.id),
            "agent_id": session.agent_id,
            "label": session.title,
            "status": session.status.value,
            "kind": session.kind,
            "preview": session.preview if content else None,
            "output_preview": session.output_preview if content else None,
            "message_count": session.message_count,
            "created_at": _milliseconds(session.created_at),
            "updated_at": _milliseconds(session.updated_at),
            "last_active_at": _milliseconds(session.last_active_at),
            "archived_at": _milliseconds(session.archived_at),
        }
    )


def _message(entry: LogEntry) -> HistoryMessage:
    return HistoryMessage.model_validate(
        {
            "object": "message",
            "id": format_id("msg", entry.id),
            "seq": entry.seq,
            "role": entry.role,
            "identity": entry.identity,
            "content": entry.text if entry.content is None else entry.content,
            "created_at": _milliseconds(entry.created_at),
        }
    )


def _milliseconds(value: datetime | None) -> int | None:
    return None if value is None else (value - UNIX_EPOCH) // MILLISECOND


def _no_content() -> web.Response:
    return web.Response(status=204)
