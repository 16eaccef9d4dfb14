"""`POST /v1/sessions`."""

from dataclasses import replace
from datetime import datetime

from aiohttp import web

from control_api.http.answers.json_answer import json_answer, to_json
from control_api.http.answers.public_address import PUBLIC_ADDRESS
from control_api.http.requests.call import Call
from control_api.sessions.bodies.presenter import present_session
from control_api.sessions.bodies.request_models import CreateSessionRequest
from control_api.sessions.bodies.transport_reading import read_transport
from control_api.sessions.one_session import MADE_AT
from control_api.sessions.quota import quota_of
from sessions import session_defaults
from sessions.audio_formats import MADE_FORMATS
from sessions.billing.usage import MULTIPLIERS
from sessions.errors import ParleyError
from sessions.ids import format_id, new_uuid, parse_id
from sessions.session import RecordingOptions, Session, TranscriptionOptions
from sessions.settings import Settings
from sessions.texts.timestamps import parse_timestamp
from store.sessions.new_session import NewSession


async def create_session(call: Call) -> web.StreamResponse:
    """Queue a recording; 201 with the effective values."""
    dependencies = call.dependencies
    new = to_new_session(call.body_as(CreateSessionRequest), dependencies.settings, call.principal.asked_at)
    new = replace(new, agent_id=agent_of_new(call, new.agent_id))
    ticket, call.ticket = call.ticket, None  # the answer is kept by the transaction that creates the session
    try:
        session = await dependencies.sessions.creation.create(
            call.organization_id,
            new,
            **quota_of(call),
            asked_by=call.principal.key_id,
            idempotency=ticket,
            render=_render,
        )
    except ParleyError as error:
        await hide_from_others(call, error)
        raise
    status, body = _render(session)
    made_at = MADE_AT.format(id=format_id("sess", session.id))
    return json_answer(body, status=status, headers=call.request.app[PUBLIC_ADDRESS].made(made_at))


def agent_of_new(call: Call, agent_id: str | None) -> str | None:
    """The agent that a new session is for; None: the organization's default one.

    Raises:
        ParleyError: `agent.not_allowed`: the key is another agent's.
    """
    if call.agent is not None and agent_id not in (None, call.agent):
        raise ParleyError("agent.not_allowed", "the API key is for another agent", param="agent_id")
    return agent_id if call.agent is None else call.agent


async def hide_from_others(call: Call, error: ParleyError) -> None:
    """Take `existing_session_id` out of the error, unless that session is the asking agent's own."""
    existing = error.extra.get("existing_session_id")
    if call.agent is None or existing is None:
        return
    try:
        own = (
            await call.dependencies.sessions.queries.agent_of(call.organization_id, parse_id("sess", existing))
            == call.agent
        )
    except ParleyError:
        own = False
    if not own:
        error.extra["existing_session_id"] = None


def to_new_session(body: CreateSessionRequest, settings: Settings, now: datetime) -> NewSession:
    """The session to store, made `now` by the database's clock, after the checks that no schema can make.

    Raises:
        ParleyError: `transport.unsupported`, `field.invalid`, `audio_source.unsupported`,
            `transport.url_not_allowed`, `worker_token.*`.
    """
    start_at = None if body.start_at is None else parse_timestamp(body.start_at)
    joins_at = now if start_at is None else max(now, start_at)
    seat = read_transport(body.transport, settings, joins_at=joins_at)
    return NewSession(
        id=new_uuid(now),
        transport=seat.transport,
        token=seat.token,
        token_expires_at=seat.token_expires_at,
        shared_key=seat.shared_key,
        quality=body.quality,
        multiplier=MULTIPLIERS[body.quality],
        max_duration_seconds=max_duration_seconds(body.max_duration_seconds, settings),
        idle_timeout_seconds=body.idle_timeout_seconds,
        recording=RecordingOptions(
            layout=body.recording.layout,
            on_pause=body.recording.on_pause,
            formats=tuple(form for form in MADE_FORMATS if form in body.recording.formats),
            tracks=body.recording.tracks,
        ),
        transcription=TranscriptionOptions(mode=body.transcription.mode, language=body.transcription.language),
        metadata=dict(body.metadata),
        tags=tuple(body.tags),
        title=body.title,
        agent_id=body.agent_id,
        task_id=body.task_id,
        project_id=body.project_id,
        model_id=body.model_id,
        capabilities=[capability.model_dump() for capability in body.capabilities],
        prompt=body.prompt,
        external_customer_id=body.external_customer_id,
        start_at=start_at,
    )


def max_duration_seconds(asked: int | None, settings: Settings) -> int:
    """How long a new session may last: as long as was asked for, or the default, where the server allows that much.

    Raises:
        ParleyError: `field.invalid`: more was asked for than the server allows.
    """
    most = settings.max_duration_seconds
    if asked is None:
        return min(session_defaults.MAX_DURATION_SECONDS, most)
    if asked > most:
        raise ParleyError("field.invalid", f"must be at most {most} on this server", param="max_duration_seconds")
    return asked


def _render(session: Session) -> tuple[int, bytes]:
    return 201, to_json(present_session(session, content=True))  # the client has sent it
