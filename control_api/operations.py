"""The table of operations: routes and OpenAPI document both come from it, so neither lacks what the other has."""

from typing import get_args

from control_api import examples
from control_api.adapters import agent_sessions_operations, session_outputs_operations, task_sessions_operations
from control_api.api_key_operations import API_KEY_OPERATIONS
from control_api.operation import Answer, Operation
from control_api.query_parameters import (
    QueryParameter,
    choice,
    edge,
    identifier,
    integer,
    statuses,
    text,
    timestamp,
    zone,
)
from control_api.routes import create_session as creating
from control_api.routes import (
    documentation,
    messages,
    read_sessions,
    recordings,
    service,
    session_commands,
    session_logs,
    usage_totals,
)
from control_api.routes import usage_events as usage
from control_api.schemas.commands import ReplaceWorkerTokenRequest
from control_api.schemas.create_session import CreateSessionRequest
from control_api.schemas.logs import EventList, Timeline, UsageEventList
from control_api.schemas.messages import Message, MessageList, PostMessageRequest
from control_api.schemas.recording import AudioLink, RecordingResource
from control_api.schemas.service import CodeList, Health, Readiness, ServiceStatus
from control_api.schemas.session_resource import HexSessionResource, SessionList, SessionResource
from control_api.schemas.usage import GroupBy, UsageReport
from control_api.session_command import ONE_SESSION, SESSION_ANSWER, session_command
from control_api.session_edit_operations import SESSION_EDIT_OPERATIONS
from control_api.session_output_operations import SESSION_OUTPUT_OPERATIONS
from sessions.billing_period import MONTH_WORDS

_TOKEN_CODES = tuple(
    f"worker_token.{word}" for word in ("malformed", "expired", "missing_grant", "wrong_room", "identity_mismatch")
)


def _limit() -> QueryParameter:
    return integer("limit", "Page size. Default 20, max 100.", least=1, most=100, default=20)


OPERATIONS: tuple[Operation, ...] = (
    *session_outputs_operations.OPERATIONS,  # first: /v1/sessions/summary is no session
    Operation(
        name="create_session",
        method="POST",
        path="/v1/sessions",
        tag="Sessions",
        summary="Create a session",
        description="Queues a recording of a LiveKit room; a worker joins with the token, usually within a second.",
        scope="sessions:write",
        handler=creating.create_session,
        body=CreateSessionRequest,
        request_examples={
            "record_a_room": examples.CREATE_SESSION,
        },
        answers=(
            Answer(
                201,
                "The session, with its effective values.",
                SessionResource,
                examples.SESSION,
                headers={"Location": "Where the session is."},
                leads_to={"session_id": "id", "session_key": "id", "agent_id": "agent_id"},
            ),
        ),
        errors=(
            "transport.unsupported",
            "transport.url_not_allowed",
            "audio_source.unsupported",
            "room.identity_in_use",
            "agent.not_allowed",
            *_TOKEN_CODES,
        ),
    ),
    Operation(
        name="list_sessions",
        method="GET",
        path="/v1/sessions",
        tag="Sessions",
        summary="List sessions",
        description=(
            "List sessions for the calling org, newest first. Repeatable status filters OR together; the group aliases "
            "active and terminal expand to the underlying status set. created_after / created_before accept ISO-8601 "
            "UTC. Paginate with limit + starting_after=<last_session_id>."
        ),
        scope="sessions:read_metadata",
        handler=read_sessions.list_sessions,
        query=(
            statuses(),
            _limit(),
            identifier("starting_after", "The last id of the page before; it need not exist any more.", "sess"),
            timestamp("created_after", "Only sessions created after this time (exclusive)."),
            timestamp("created_before", "Only sessions created before this time (exclusive)."),
            text("agent_id", "Only this agent's."),
            text("task_id", "Only this task's."),
            text("project_id", "Only this project's."),
            text("tag", "Only those with this tag."),
            text("external_customer_id", "Only this customer's."),
            choice("archived", "Archived ones are left out unless asked for.", ("false", "true", "any"), "false"),
        ),
        answers=(Answer(200, "Successful Response", SessionList, examples.page(examples.SESSION)),),
        errors=("status.unknown",),
        error_descriptions={400: "Unknown status filter value."},
    ),
    Operation(
        name="get_session",
        method="GET",
        path=ONE_SESSION,
        tag="Sessions",
        summary="Get a session",
        description=(
            "With until and Prefer: wait=N the answer comes when the session runs (or never will again), or is "
            "terminal, at the latest after N seconds (at most 30). Asked for as session_ and 32 hex digits, or with "
            "Accept: application/vnd.parley.session+json, ids are printed in hex and status as started, active or idle."
        ),
        scope="sessions:read_metadata",
        handler=read_sessions.get_session,
        query=(choice("until", "What to wait for; needs Prefer: wait=N.", ("running", "terminal")),),
        request_headers={"If-None-Match": "An ETag read before.", "Prefer": "wait=N: seconds to wait, at most 30."},
        answers=(
            Answer(
                200,
                "Session found",
                SessionResource,
                examples.SESSION,
                headers={"ETag": "Changes with the session and its usage.", "Preference-Applied": "The wait granted."},
                variant=(read_sessions.HEX_SESSION, HexSessionResource, examples.HEX_SESSION),
            ),
            Answer(304, "Unchanged since If-None-Match."),
        ),
        errors=("not_acceptable",),
        error_descriptions={400: "Invalid session ID", 404: "Session not found"},
    ),
    session_command(
        "end",
        summary="End a session",
        description="Drains and keeps the recording. Never ran: canceled. Settled: unchanged, 200.",
        handler=session_commands.end_session,
    ),
    session_command(
        "cancel",
        summary="Cancel a session",
        description="Stops at once, without draining; what was recorded is kept. Settled: unchanged, 200.",
        handler=session_commands.cancel_session,
    ),
    session_command(
        "pause",
        summary="Pause a session",
        description=(
            "The worker stays in the room; from paused_at on nothing is recorded, stored or billed. In the file the "
            "pause is silence, or left out (recording.on_pause). Paused: unchanged, 200."
        ),
        handler=session_commands.pause_session,
        errors=("transition.invalid",),
    ),
    session_command(
        "resume",
        summary="Resume a paused session",
        description="Recording and billing go on. Running: unchanged, 200.",
        handler=session_commands.resume_session,
        errors=("transition.invalid",),
    ),
    Operation(
        name="replace_worker_token",
        method="PUT",
        path=ONE_SESSION + "/worker_token",
        tag="Sessions",
        summary="Replace the worker token",
        description="For the same room and the same sub; used by the next join.",
        scope="sessions:write",
        handler=session_commands.replace_worker_token,
        body=ReplaceWorkerTokenRequest,
        request_examples={"fresh_token": {"worker_token": "<a LiveKit access token>"}},
        answers=(SESSION_ANSWER,),
        errors=("transition.invalid", *_TOKEN_CODES),
    ),
    Operation(
        name="get_timeline",
        method="GET",
        path=ONE_SESSION + "/timeline",
        tag="Sessions",
        summary="Status transitions, oldest first",
        scope="sessions:read_metadata",
        handler=session_logs.get_timeline,
        answers=(Answer(200, "Every transition.", Timeline, examples.page(examples.TRANSITION)),),
    ),
    Operation(
        name="list_events",
        method="GET",
        path=ONE_SESSION + "/events",
        tag="Sessions",
        summary="Everything that happened, oldest first",
        scope="sessions:read",
        handler=session_logs.list_events,
        query=(
            integer("after", "Only events with a larger seq.", least=0, most=2**31 - 1, default=0),
            _limit(),
        ),
        answers=(Answer(200, "A page of events.", EventList, examples.page(examples.EVENT, cursor="4")),),
    ),
    Operation(
        name="list_messages",
        method="GET",
        path=ONE_SESSION + "/messages",
        tag="Messages",
        summary="Messages of a session, oldest first",
        description="What was posted here, and what participants wrote in the room (text streams, topic lk.chat).",
        scope="sessions:read",
        handler=messages.list_messages,
        query=(integer("after", "Only messages with a larger seq.", least=0, most=2**31 - 1, default=0), _limit()),
        answers=(Answer(200, "A page of messages.", MessageList, examples.page(examples.MESSAGE, cursor="3")),),
    ),
    Operation(
        name="post_message",
        method="POST",
        path=ONE_SESSION + "/messages",
        tag="Messages",
        summary="Send a message to a session",
        description=(
            "Its worker puts it into the room (text stream, topic lk.chat): sent when that was done within 2 s, else "
            "queued, and sent when the session runs. The first message of a text session makes that running."
        ),
        scope="sessions:write",
        handler=messages.post_message,
        body=PostMessageRequest,
        request_examples={
            "text": {"content": "Please continue with the implementation"},
            "blocks": {"content": [{"type": "text", "text": "Hello"}], "role": "assistant"},
        },
        answers=(Answer(201, "The message.", Message, examples.MESSAGE),),
        errors=("session.not_running",),
    ),
    Operation(
        name="get_recording",
        method="GET",
        path=ONE_SESSION + "/recording",
        tag="Recordings",
        summary="State and facts of the recording",
        scope="sessions:read",
        handler=recordings.get_recording,
        answers=(Answer(200, "The recording.", RecordingResource, examples.RECORDING),),
    ),
    Operation(
        name="get_audio",
        method="GET",
        path=ONE_SESSION + "/audio",
        tag="Recordings",
        summary="Where conversation.wav is",
        description="Redirects to a link that works without a key for about an hour and serves Range requests.",
        scope="sessions:read",
        handler=recordings.get_audio,
        answers=(Answer(302, "The link.", AudioLink, examples.AUDIO_LINK, headers={"Location": "The link."}),),
        errors=("audio.not_ready", "audio.none"),
    ),
    *SESSION_OUTPUT_OPERATIONS,
    Operation(
        name="get_object",
        method="GET",
        path="/v1/objects/{key}",
        tag="Recordings",
        summary="The bytes behind a signed link",
        description="Only links made by GET /v1/sessions/{session_id}/audio work; serves Range requests.",
        public=True,
        handler=recordings.get_object,
        query=(
            text("expires", "Part of the link.", most=12),
            text("signature", "Part of the link.", most=128),
        ),
        request_headers={"Range": "bytes=first-last"},
        answers=(
            Answer(200, "The whole file.", media_types={"audio/wav": ""}),
            Answer(206, "The range.", media_types={"audio/wav": ""}),
        ),
        errors=("audio.link_invalid", "range.invalid"),
    ),
    Operation(
        name="get_usage",
        method="GET",
        path="/v1/usage",
        tag="Usage",
        summary="What a period of the bill adds up to",
        description=(
            "Computed from the ledger alone. A row belongs to the period in which it was recorded (recorded_at, at "
            "most about a minute after the time that it bills). The sums end 30 s before now, as the ledger's pages "
            "do; once period.complete is true they never change. Without parameters: the current month in UTC."
        ),
        scope="usage:read",
        handler=usage_totals.get_usage,
        query=(
            choice("period", "A calendar month of time_zone. Default current_month.", MONTH_WORDS),
            edge("period_start", "Instead of period: a time, or a date, which is midnight in time_zone."),
            edge("period_end", "Exclusive; a time or a date, at most 366 days after period_start."),
            zone("time_zone", "IANA name, where months and dates begin at midnight."),
            choice("group_by", "Also a sum for each value of it.", get_args(GroupBy)),
            text("after", "The value of the last group of the page before."),
            integer("limit", "Groups per page. Default 100, max 1000.", least=1, most=1000, default=100),
        ),
        answers=(Answer(200, "The sums.", UsageReport, examples.USAGE),),
    ),
    Operation(
        name="list_usage_events",
        method="GET",
        path="/v1/usage/events",
        tag="Usage",
        summary="The bill, oldest first",
        description=(
            "Append-only rows. Of one session all are there at once; pages of the whole organization end 30 s before "
            "now, so that a reader that goes on with after misses none."
        ),
        scope="usage:read",
        handler=usage.list_usage_events,
        query=(
            identifier("session_id", "Only this session's.", "sess"),
            identifier("after", "The last id of the page before.", "ue"),
            _limit(),
        ),
        answers=(
            Answer(
                200,
                "A page of rows.",
                UsageEventList,
                examples.page(examples.USAGE_EVENT),
                media_types={
                    usage.CSV: "id,object,session_id,epoch,kind,from_ms,to_ms,…\r\n",
                    usage.NDJSON: '{"id":"ue_…","object":"usage_event",…}\n',
                },
                headers={"Link": 'The next page, rel="next".'},
            ),
        ),
        errors=("not_acceptable",),
    ),
    *SESSION_EDIT_OPERATIONS,
    *API_KEY_OPERATIONS,
    Operation(
        name="list_codes",
        method="GET",
        path="/v1/codes",
        tag="Service",
        summary="Every code that Parley answers, ends or fails with",
        handler=service.list_codes,
        answers=(Answer(200, "The registry.", CodeList, examples.page(examples.CODE)),),
    ),
    Operation(
        name="get_status",
        method="GET",
        path="/v1/status",
        tag="Service",
        summary="Is it working, and which version is it",
        public=True,
        handler=service.get_status,
        answers=(
            Answer(
                200,
                "For people.",
                ServiceStatus,
                {
                    "object": "status",
                    "status": "operational",
                    "version": "0.1.0",
                    "dependencies": examples.DEPENDENCIES,
                },
            ),
        ),
    ),
    Operation(
        name="get_health",
        method="GET",
        path="/healthz",
        tag="Service",
        summary="The process answers",
        public=True,
        handler=service.get_health,
        answers=(Answer(200, "It does.", Health, {"object": "health", "status": "ok"}),),
    ),
    Operation(
        name="get_readiness",
        method="GET",
        path="/readyz",
        tag="Service",
        summary="Database and storage answer, and the process is not stopping",
        public=True,
        handler=service.get_readiness,
        answers=(
            Answer(
                200,
                "Send requests here.",
                Readiness,
                {"object": "readiness", "status": "ready", "dependencies": examples.DEPENDENCIES},
            ),
        ),
        errors=("database.unavailable", "storage.unavailable", "stopping"),
    ),
    Operation(
        name="get_metrics",
        method="GET",
        path="/metrics",
        tag="Service",
        summary="Prometheus metrics",
        public=True,
        handler=service.get_metrics,
        answers=(Answer(200, "Text format.", media_types={"text/plain": "parley_api_requests_in_flight 1.0\n"}),),
    ),
    Operation(
        name="get_openapi",
        method="GET",
        path="/openapi.json",
        tag="Service",
        summary="This document",
        public=True,
        handler=documentation.get_openapi,
        answers=(Answer(200, "OpenAPI 3.1.", media_types={"application/json": ""}),),
    ),
    Operation(
        name="get_docs",
        method="GET",
        path="/docs",
        tag="Service",
        summary="This document, for people",
        public=True,
        handler=documentation.get_docs,
        answers=(Answer(200, "A page that needs nothing from elsewhere.", media_types={"text/html": ""}),),
    ),
    *agent_sessions_operations.OPERATIONS,
    *task_sessions_operations.OPERATIONS,
)
