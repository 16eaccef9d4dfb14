"""The operations on sessions as resources: create, list, read, change, delete."""

from control_api.http.answers.examples import page
from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.path_parameters import SESSION_LEADS_TO
from control_api.http.requests.query_parameters import choice, identifier, page_size, statuses, text, timestamp
from control_api.sessions import commands, examples, read
from control_api.sessions import create as creating
from control_api.sessions.create_request import CreateSessionRequest, UpdateSessionRequest
from control_api.sessions.long_poll import MAX_WAIT_SECONDS
from control_api.sessions.one_session import ERASURE_CODES, MADE_AT, ONE_SESSION, SESSION_ANSWER
from control_api.sessions.resource import HexSessionResource, SessionList, SessionResource
from control_api.sessions.transport_reading import TRANSPORT_CODES

SESSION_OPERATIONS: tuple[Operation, ...] = (
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
        made_at=MADE_AT,
        request_examples={
            "record_a_room": examples.CREATE_SESSION,
            "stand_in_for_an_avatar": examples.CREATE_STREAM_SESSION,
        },
        answers=(
            Answer(
                201,
                "The session, with its effective values.",
                SessionResource,
                examples.SESSION,
                leads_to=SESSION_LEADS_TO,
            ),
        ),
        errors=(*TRANSPORT_CODES, "agent.not_allowed"),
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
        handler=read.list_sessions,
        query=(
            statuses(),
            page_size(),
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
        answers=(Answer(200, "Successful Response", SessionList, page(examples.SESSION)),),
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
            f"terminal, at the latest after N seconds (at most {MAX_WAIT_SECONDS}). Asked for as session_ and 32 hex "
            "digits, or with Accept: application/vnd.parley.session+json, ids are printed in hex and status as "
            "started, active or idle."
        ),
        scope="sessions:read_metadata",
        handler=read.get_session,
        query=(choice("until", "What to wait for; needs Prefer: wait=N.", ("running", "terminal")),),
        request_headers={
            "If-None-Match": ("An ETag read before.", {"type": "string"}),
            "Prefer": (
                f"wait=N: seconds to wait, at most {MAX_WAIT_SECONDS}.",
                {"type": "string", "examples": [f"wait={MAX_WAIT_SECONDS}"]},
            ),
        },
        answers=(
            Answer(
                200,
                "Session found",
                SessionResource,
                examples.SESSION,
                headers={"ETag": "Changes with the session and its usage."},
                optional_headers={"Preference-Applied": "The wait granted."},
                variant=(read.HEX_SESSION, HexSessionResource, examples.HEX_SESSION),
            ),
            Answer(304, "Unchanged since If-None-Match.", headers={"ETag": "As before."}),
        ),
        errors=("not_acceptable",),
        error_descriptions={400: "Invalid session ID", 404: "Session not found"},
    ),
    Operation(
        name="update_session",
        method="PATCH",
        path=ONE_SESSION,
        tag="Sessions",
        summary="Change title, tags or metadata",
        description="What is sent replaces what was there, as a whole; what is left out stays.",
        scope="sessions:write",
        handler=commands.update_session,
        body=UpdateSessionRequest,
        request_examples={"title": {"title": "Refund of order 4711"}, "tags": {"tags": ["support", "refund"]}},
        answers=(SESSION_ANSWER,),
    ),
    Operation(
        name="delete_session",
        method="DELETE",
        path=ONE_SESSION,
        tag="Sessions",
        summary="Delete a session",
        description=(
            "Erases its content: audio, transcript, messages, summary, events, whatever was kept of its requests. The "
            "usage ledger stays. Afterwards the id answers 404. A queued session is canceled first; one that is "
            "starting, running, paused or ending has to be ended before."
        ),
        scope="sessions:delete",
        handler=commands.delete_session,
        answers=(Answer(204, "No content"),),
        errors=ERASURE_CODES,
    ),
)
