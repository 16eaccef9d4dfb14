"""`/api/sessions`: sessions of agents' tasks, as bare resources with five status words."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Literal, get_args

from aiohttp import web

from control_api.adapters.task_sessions.models import (
    CreatedTaskSession,
    CreateTaskSessionRequest,
    SendMessageRequest,
    SentMessage,
    TaskData,
    TaskSession,
    TaskSessionDetails,
    TaskSessionList,
    TaskStatus,
    UpdateTaskSessionRequest,
)
from control_api.http.answers.json_answer import json_answer, to_json
from control_api.http.answers.public_address import PUBLIC_ADDRESS
from control_api.http.requests.call import Call
from control_api.http.requests.dependencies import ERASURE
from control_api.http.serving.long_answer import long_answer
from control_api.messages.delivery import deliver
from control_api.messages.routes import message_status
from control_api.sessions.bodies.transport_reading import Seat, read_transport
from control_api.sessions.create_routes import agent_of_new, hide_from_others, max_duration_seconds
from control_api.sessions.quota import limits_of, quota_of
from control_api.sessions.session_pages import session_pages
from sessions import session_defaults
from sessions.billing.usage import MULTIPLIERS
from sessions.errors import ParleyError
from sessions.ids import format_id, new_uuid
from sessions.lifecycle.lifecycle import Status
from sessions.session import Session
from sessions.texts.timestamps import format_timestamp
from store.sessions.filter import SessionFilter
from store.sessions.log.session_log import LogEntry
from store.sessions.log.session_messages import NewMessage
from store.sessions.new_session import NewSession
from store.sessions.task_sessions import Command, TaskChanges, merged

WORDS: dict[Status, TaskStatus] = {
    Status.CREATED: "created",
    Status.QUEUED: "active",
    Status.STARTING: "active",
    Status.RUNNING: "active",
    Status.ENDING: "active",
    Status.PAUSED: "paused",
    Status.ENDED: "completed",
    Status.CANCELED: "completed",
    Status.FAILED: "failed",
}
_COMMANDS: dict[str, Command] = {"paused": "pause", "active": "resume", "completed": "end"}


def statuses_of(word: str) -> frozenset[Status]:
    """The statuses that one of the five words stands for.

    Raises:
        ParleyError: `status.unknown`.
    """
    _require_known(word)
    return frozenset(status for status, known in WORDS.items() if known == word)


async def list_task_sessions(call: Call) -> web.StreamResponse:
    """The organization's sessions, newest first."""
    query = call.query
    if call.agent is not None and query["agent_id"] not in (None, call.agent):
        return json_answer(TaskSessionList(sessions=[]))
    wanted = SessionFilter(statuses=query["status"], agent_id=call.agent or query["agent_id"], task_id=query["task_id"])
    pages = session_pages(call, wanted, lambda one: TaskSession.model_validate(_listed(one)))
    return await long_answer(call, _sessions(pages), content_type="application/json")


async def _sessions(pages: AsyncIterator[tuple[list[TaskSession], bool]]) -> AsyncGenerator[bytes, None]:
    """`TaskSessionList`, page by page."""
    written, separator = bytearray(b'{"sessions":['), b""
    async for sessions, _ in pages:
        for session in sessions:
            written += separator + to_json(session)
            separator = b","
        yield bytes(written)
        written.clear()
    yield bytes(written) + b"]}"


async def create_task_session(call: Call) -> web.StreamResponse:
    """A text session, or with a transport a voice session."""
    dependencies, body = call.dependencies, call.body_as(CreateTaskSessionRequest)
    seat = _seat(call, body.data)
    new = NewSession(
        id=new_uuid(call.principal.asked_at),
        kind="text" if seat is None else "voice",
        transport=None if seat is None else seat.transport,
        token=None if seat is None else seat.token,
        token_expires_at=None if seat is None else seat.token_expires_at,
        shared_key=None if seat is None else seat.shared_key,
        quality=session_defaults.QUALITY,
        multiplier=MULTIPLIERS[session_defaults.QUALITY],
        max_duration_seconds=max_duration_seconds(None, dependencies.settings),
        agent_id=agent_of_new(call, body.agent_id),
        task_id=body.task_id,
        prompt=body.prompt,
        data=merged(None, _members(body.data) or {}),
    )
    ticket, call.ticket = call.ticket, None  # the answer is kept by the transaction that creates the session
    try:
        session = await dependencies.sessions.creation.create(
            call.organization_id,
            new,
            **quota_of(call),
            asked_by=call.principal.key_id,
            idempotency=ticket,
            render=lambda one: (201, to_json(_created(one))),
        )
    except ParleyError as error:
        await hide_from_others(call, error)
        raise
    headers = call.request.app[PUBLIC_ADDRESS].made(f"/api/sessions/{format_id('sess', session.id)}")
    return json_answer(_created(session), status=201, headers=headers)


async def get_task_session(call: Call) -> web.StreamResponse:
    """One session with its data."""
    return json_answer(_details(await call.dependencies.sessions.queries.get(call.organization_id, call.session_id)))


async def update_task_session(call: Call) -> web.StreamResponse:
    """Commands by status, data and prompt; all of it or nothing."""
    body, sessions = call.body_as(UpdateTaskSessionRequest), call.dependencies.sessions
    seat = _seat(call, body.data)
    changes = TaskChanges(
        command=None if body.status is None else _command(body.status),
        data=_members(body.data),
        prompt=body.prompt,
        seat=None if seat is None else (seat.transport, seat.token, seat.token_expires_at, seat.shared_key),
    )
    try:
        changed = await sessions.tasks.change(call.organization_id, call.session_id, changes, limits=limits_of(call))
        return json_answer(_details(changed))
    except ParleyError as error:
        await hide_from_others(call, error)
        raise


async def delete_task_session(call: Call) -> web.StreamResponse:
    """Erase every byte of content; the bill stays."""
    await call.request.app[ERASURE].erase(call.organization_id, call.session_id)
    return web.Response(status=204)


async def send_task_message(call: Call) -> web.StreamResponse:
    """Log a message and take it to the room, if there is one."""
    body = call.body_as(SendMessageRequest)
    entry = await deliver(call, NewMessage("user", body.content), lambda one: to_json(_sent(one)))
    return json_answer(_sent(entry), status=201)


def _command(word: str) -> Callable[[Status], Command | None]:
    """The function that says, for a session's present status, which command takes it to `word`; None: it is there.

    Raises:
        ParleyError: `status.unknown`; the function that is returned raises `transition.invalid`.
    """
    _require_known(word)

    def command(status: Status) -> Command | None:
        if WORDS[status] == word or (word == "completed" and status is Status.ENDING):
            return None
        if word not in _COMMANDS or WORDS[status] in ("completed", "failed"):
            raise ParleyError("transition.invalid", f"a session that is {WORDS[status]} can't become {word}")
        return _COMMANDS[word]

    return command


def _require_known(word: str) -> None:
    if word not in get_args(TaskStatus):
        raise ParleyError("status.unknown", "unknown session status", param="status")


def _seat(call: Call, data: TaskData | None) -> Seat | None:
    if data is None or data.transport is None:
        return None
    try:
        return read_transport(data.transport, call.dependencies.settings, joins_at=call.principal.asked_at)
    except ParleyError as error:
        if error.param is not None:
            error.param = f"data.{error.param}"
        raise


def _members(data: TaskData | None) -> dict[str, Any] | None:
    return None if data is None else dict(data.model_extra or {})


def _created(session: Session) -> CreatedTaskSession:
    return CreatedTaskSession.model_validate(_named(session))


def _details(session: Session) -> TaskSessionDetails:
    return TaskSessionDetails.model_validate({**_listed(session), "data": session.data or {}})


def _listed(session: Session) -> dict[str, Any]:
    return {
        **_named(session),
        "last_active": format_timestamp(session.last_active_at or session.created_at),
        "message_count": session.message_count,
    }


def _named(session: Session) -> dict[str, Any]:
    return {
        "id": format_id("sess", session.id),
        "agent_id": session.agent_id,
        "task_id": session.task_id,
        "status": WORDS[session.status],
        "created_at": format_timestamp(session.created_at),
    }


def _sent(entry: LogEntry) -> SentMessage:
    status: Literal["sent", "queued"] = "queued" if message_status(entry) == "queued" else "sent"
    return SentMessage.model_validate(
        {
            "message_id": format_id("msg", entry.id),
            "status": status,
            "timestamp": format_timestamp(entry.created_at),
        }
    )
