"""The rows of sessions as resources: create, list, read, change, delete."""

from control_api.http.answers.examples import page
from control_api.http.openapi.operation import Answer, Operation
from control_api.http.requests.path_parameters import SESSION_LEADS_TO
from control_api.http.requests.query_parameters import choice, identifier, page_size, statuses, text, timestamp
from control_api.sessions import create_routes, edit_routes, read_routes
from control_api.sessions.bodies import examples
from control_api.sessions.bodies.request_models import CreateSessionRequest, UpdateSessionRequest
from control_api.sessions.bodies.resource_models import HexSessionResource, SessionList, SessionResource
from control_api.sessions.bodies.transport_reading import TRANSPORT_CODES
from control_api.sessions.long_poll import MAX_WAIT_SECONDS
from control_api.sessions.one_session import ERASURE_CODES, MADE_AT, ONE_SESSION, SESSION_ANSWER

_EXPAND = choice(
    "expand",
    "Also gives who was in a session's room, and who is heard. Needs sessions:read, else it is null.",
    ("participants",),
)

SESSION_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="create_session",
        counts_as="create",
        method="POST",
        path="/v1/sessions",
        tag="Sessions",
        summary="Create a session",
        description="Queues a recording of a LiveKit room. A worker joins with the token, usually within a second.",
        scope="sessions:write",
        handler=create_routes.create_session,
        body=CreateSessionRequest,
        made_at=MADE_AT,
        request_examples={
            "record_a_room": examples.CREATE_SESSION,
            "stand_in_for_an_avatar": examples.CREATE_STREAM_SESSION,
            "end_to_end_encrypted": examples.CREATE_ENCRYPTED_SESSION,
        },
        answers=(
            Answer(
                201,
                "The session, with the values that apply to it.",
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
        handler=read_routes.list_sessions,
        query=(
            statuses(),
            page_size(),
            identifier(
                "starting_after", "The last id of the page before; its session may have been deleted since.", "sess"
            ),
            timestamp("created_after", "Only sessions created after this time (exclusive)."),
            timestamp("created_before", "Only sessions created before this time (exclusive)."),
            text("agent_id", "Only sessions of this agent."),
            text("task_id", "Only sessions of this task."),
            text("project_id", "Only sessions of this project."),
            text("tag", "Only sessions with this tag."),
            text("external_customer_id", "Only sessions of this customer."),
            choice(
                "archived",
                "false leaves archived sessions out, true leaves out all others.",
                ("false", "true", "any"),
                "false",
            ),
            _EXPAND,
        ),
        answers=(Answer(200, "Successful Response", SessionList, page(examples.LISTED_SESSION)),),
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
            "Answers at once. With until and Prefer: wait=N the answer waits until the session runs (or never will "
            f"again), or until it is terminal, but no longer than N seconds ({MAX_WAIT_SECONDS} at most). A request "
            "with a hex id (session_ and 32 hex digits), or with Accept: application/vnd.parley.session+json, is "
            "answered with ids in hex, and with started, active or idle as the status."
        ),
        scope="sessions:read_metadata",
        handler=read_routes.get_session,
        query=(choice("until", "What to wait for. Needs Prefer: wait=N.", ("running", "terminal")), _EXPAND),
        request_headers={
            "If-None-Match": ("The ETag of an earlier answer: 304 if nothing has changed since.", {"type": "string"}),
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
                headers={"ETag": "Changes with the session, its usage, and what else is in the answer."},
                optional_headers={"Preference-Applied": "The wait that was granted."},
                variant=(read_routes.HEX_SESSION, HexSessionResource, examples.HEX_SESSION),
            ),
            Answer(304, "Unchanged since If-None-Match.", headers={"ETag": "The same as before."}),
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
        description="A member that is sent replaces the old one as a whole; a member that is left out stays as it is.",
        scope="sessions:write",
        handler=edit_routes.update_session,
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
            "Erases the session's content for good: audio, transcript, messages, summary, events, and what was kept of "
            "its requests. The usage ledger stays. Afterwards the id answers 404, and what the object storage does not "
            "let go of at once is tried again until it is gone. A session that waits for its start is canceled first. "
            "While a voice session is starting, running, paused or ending, the answer is 409 "
            "session.active: end it first."
        ),
        scope="sessions:delete",
        handler=edit_routes.delete_session,
        answers=(Answer(204, "No content"),),
        errors=ERASURE_CODES,
    ),
)
