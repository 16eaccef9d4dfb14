"""The canonical style, `GET /v1/sessions`: each sentence of its reference, quoted, against the server."""

from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

from control_api.http.answers.envelope import ErrorEnvelope
from sessions.billing.usage import MULTIPLIERS
from sessions.lifecycle.lifecycle import ALIASES, Status
from tests.support.running.api_server import ROOM_URL, ApiServer, create_body, worker_token
from tests.support.samples.served_document import SERVED

DESCRIBED = SERVED.decode()

# What the reference says beside fields, parameters and answers; the OpenAPI document says it too.
SENTENCES = (
    "List sessions for the calling org, newest first. Repeatable status filters OR together; the group aliases active "
    "and terminal expand to the underlying status set. created_after / created_before accept ISO-8601 UTC. Paginate "
    "with limit + starting_after=<last_session_id>.",
    "Multiple values OR together.",
    "Page size. Default 20, max 100.",
    "Successful Response",
    "Cursor-paginated list of sessions",
    "Public session resource — what GET /v1/sessions/{id} returns.",
    "Populated when Session.status == failed.",
    "Stable lower_snake_case subcode.",
    "Human-readable summary; not stable.",
    "sess_… prefixed ULID.",
    "Output quality tier. Drives the credit billing multiplier.",
    "standard is the default for new sessions. mock is reserved for internal tests and the bring-up runtime (no real "
    "model loaded); it bills as standard when it appears on a real session.",
    "Public session lifecycle.",
    "Terminal states are ended, failed, canceled. ending is the graceful-drain state while a worker finishes "
    "publishing in-flight frames.",
    "BYO LiveKit transport.",
    "The customer owns the room and mints worker_token; we never touch their LiveKit API key or secret.",
    "How the worker receives audio. See LiveKitAudioSource",
    "Name of the LiveKit room the worker should join.",
    "If True and no participant joins within 10 s, the worker falls back to a synthetic sine generator. Demo aid only; "
    "default off.",
    "Customer’s LiveKit URL, e.g. wss://my-app.livekit.cloud.",
    "Identity the worker presents inside the room.",
    "Write-only. Never echoed back on read",
    "Reserved — raw WebSocket transport. Not yet available.",
    "Listed in the schema so existing clients keep parsing future responses, but POST /v1/sessions rejects it today "
    "with invalid_request / code=transport.unsupported.",
    "Reserved — Pipecat integration. Not yet available.",
    "Rejected at create-time today",
    "Live usage counters embedded in the Session resource.",
    "Eventually-consistent — lags the latest worker heartbeat by up to one interval. Canonical billing data lives in "
    "UsageEvent",
    "Unknown status filter value.",
    "Wire format for every non-2xx public API response.",
    "Concrete error returned inside ApiErrorEnvelope.error.",
    "Stable machine-readable subcode (lower_snake_case). SDKs should switch on this, not message.",
    "Human-readable summary. Not stable; do not parse.",
    "Echo of the X-Request-Id response header for support.",
    "Top-level error categories. Maps roughly to HTTP status.",
    "Missing or invalid API key.",
    "Request body or parameters failed validation.",
)
EMPTY = {"data": [], "has_more": False, "object": "list"}
ERROR_FIELDS = {"code", "message", "param", "request_id", "type"}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_openapi_document_says_what_the_reference_says(sentence: str) -> None:
    """Word for word."""
    assert sentence in DESCRIBED.replace("\\n\\n", " ").replace("\\n", " ")


async def test_the_references_request_is_served(api: ApiServer) -> None:
    """`--url 'https://example.com/v1/sessions?limit=20' --header 'Authorization: Bearer <token>'`, its example body."""
    reply = await api.call("GET", "/v1/sessions?limit=20")
    assert (reply.status, {name: reply.content[name] for name in EMPTY}) == (200, EMPTY)


async def test_newest_first_and_paged_by_the_last_session_id(api: ApiServer) -> None:
    """Quoted: "newest first", "Paginate with limit + starting_after=<last_session_id>"."""
    ids = [(await api.create(f"room-{number}"))["id"] for number in range(5)][::-1]
    first = (await api.call("GET", "/v1/sessions?limit=3")).content
    assert ([session["id"] for session in first["data"]], first["has_more"]) == (ids[:3], True)
    rest = (await api.call("GET", f"/v1/sessions?limit=3&starting_after={first['data'][-1]['id']}")).content
    assert ([session["id"] for session in rest["data"]], rest["has_more"]) == (ids[3:], False)


async def test_page_size_is_20_by_default_and_100_at_most(api: ApiServer) -> None:
    """Quoted: "Page size. Default 20, max 100."."""
    for number in range(21):
        await api.create(f"room-{number}")
    page = (await api.call("GET", "/v1/sessions")).content
    assert (len(page["data"]), page["has_more"]) == (20, True)
    assert (await api.call("GET", "/v1/sessions?limit=100")).status == 200
    refused = await api.call("GET", "/v1/sessions?limit=101")
    assert (refused.status, refused.content["error"]["type"]) == (422, "unprocessable")


async def _one_of_each_status(api: ApiServer) -> dict[str, str]:
    """A session in every status, put there by hand: the list only reads the column."""
    made = {status.value: (await api.create(f"room-{status}"))["id"] for status in Status}
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text(
                "UPDATE sessions SET status = replace(room_name, 'room-', ''), outcome = 'ended', ending_at = now(),"
                " error_code = CASE WHEN room_name = 'room-failed' THEN 'room.unreachable' END"
            )
        )
    return made


async def test_repeatable_status_filters_or_together_and_aliases_expand(api: ApiServer) -> None:
    """Quoted: "Accepts a SessionStatus value or the aliases active / terminal. Multiple values OR together."."""
    made = await _one_of_each_status(api)

    async def listed(*words: str) -> set[str]:
        reply = await api.call("GET", "/v1/sessions?limit=100&" + "&".join(f"status={word}" for word in words))
        assert reply.status == 200
        return {session["id"] for session in reply.content["data"]}

    for word, session_id in made.items():
        assert await listed(word) == {session_id}
    assert await listed("queued", "failed") == {made["queued"], made["failed"]}
    terminal = {made[word] for word in ("ended", "failed", "canceled")}
    assert await listed("terminal") == terminal
    assert await listed("active") == set(made.values()) - terminal
    assert await listed("active", "ended") == set(made.values()) - terminal | {made["ended"]}
    assert set(ALIASES) == {"active", "terminal"}


async def test_an_unknown_status_is_400_in_the_references_words(api: ApiServer) -> None:
    """Quoted: "Unknown status filter value."."""
    for words in ("status=open", "status=queued&status=open", "status=", "status=QUEUED"):
        reply = await api.call("GET", f"/v1/sessions?{words}")
        error = reply.content["error"]
        assert (reply.status, error["type"], error["param"]) == (400, "invalid_request", "status"), words
        assert error["message"] == "Unknown status filter value."


async def test_created_bounds_accept_iso_8601_utc(api: ApiServer) -> None:
    """Quoted: "created_after / created_before accept ISO-8601 UTC"."""
    session = await api.create("room")
    for query, expected in [
        ("created_after=2020-01-01T00:00:00Z", 1),
        ("created_after=" + quote("2020-01-01T00:00:00+00:00"), 1),
        ("created_before=2020-01-01T00:00:00.000Z", 0),
        ("created_after=2020-01-01T00:00:00Z&created_before=2999-01-01T00:00:00Z", 1),
    ]:
        assert len((await api.call("GET", f"/v1/sessions?{query}")).content["data"]) == expected, query
    assert session["created_at"].endswith("Z")
    refused = await api.call("GET", "/v1/sessions?created_after=yesterday")
    assert (refused.status, refused.content["error"]["param"]) == (422, "created_after")


async def test_a_listed_session_is_the_resource_that_get_returns(api: ApiServer) -> None:
    """Quoted: "Public session resource — what GET /v1/sessions/{id} returns.", "sess_… prefixed ULID."."""
    session = await api.create("room")
    [listed] = (await api.call("GET", "/v1/sessions")).content["data"]
    assert listed == (await api.call("GET", f"/v1/sessions/{session['id']}")).content
    prefix, _, digits = listed["id"].partition("_")
    assert (prefix, len(digits), digits.upper()) == ("sess", 26, digits)
    assert listed["transport"].keys() == {
        "type",
        "audio_source",
        "e2ee",
        "room_name",
        "subscribe_to_identity",
        "synthetic_audio_if_no_input",
        "url",
        "worker_identity",
        "worker_token",
    }
    assert (listed["transport"]["synthetic_audio_if_no_input"], listed["quality"]) == (False, "standard")


async def test_the_error_is_populated_when_the_session_failed(api: ApiServer) -> None:
    """Quoted: "Populated when Session.status == failed."."""
    await _one_of_each_status(api)
    for session in (await api.call("GET", "/v1/sessions?limit=100")).content["data"]:
        expected = {"code": "room.unreachable", "message": None} if session["status"] == "failed" else None
        assert session["error"] == expected


async def test_the_worker_token_is_never_echoed(api: ApiServer) -> None:
    """Quoted: "Write-only. Never echoed back on read; … returns the string "[redacted]"."."""
    token = worker_token("room")
    made = await api.call("POST", "/v1/sessions", create_body("room", transport={"worker_token": token}))
    for path in ("/v1/sessions", f"/v1/sessions/{made.content['id']}", f"/v1/sessions/{made.content['id']}/events"):
        assert token.encode() not in (await api.call("GET", path)).body
    assert token.encode() not in made.body
    assert made.content["transport"]["worker_token"] == "[redacted]"


async def test_reserved_transports_are_rejected_with_the_references_error(api: ApiServer) -> None:
    """The example error, "transport.type=pipecat is reserved and not yet available"; WebSocket alike."""
    for kind in ("pipecat", "websocket"):
        reply = await api.call("POST", "/v1/sessions", {"transport": {"type": kind, "url": ROOM_URL}})
        error = reply.content["error"]
        assert (reply.status, error.pop("request_id")) == (400, reply.headers["X-Request-Id"])
        assert error == {
            "code": "transport.unsupported",
            "message": f"transport.type={kind} is reserved and not yet available",
            "param": "transport.type",
            "type": "invalid_request",
        }
    assert (await api.call("GET", "/v1/sessions")).content["data"] == []


async def test_mock_bills_as_standard(api: ApiServer) -> None:
    """Quoted: "it bills as standard when it appears on a real session"."""
    assert (await api.create("room", quality="mock"))["quality"] == "mock"
    async with api.dependencies.db.begin() as conn:
        multiplier = (await conn.execute(text("SELECT multiplier FROM sessions"))).scalar_one()
    assert multiplier == MULTIPLIERS["standard"]


@pytest.mark.parametrize(
    ("path", "key", "status", "type_"),
    [
        ("/v1/sessions?status=x", "known", 400, "invalid_request"),
        ("/v1/sessions", None, 401, "authentication"),
        ("/v1/sessions", "parley_master_unknown", 401, "authentication"),
        ("/v1/sessions?limit=x", "known", 422, "unprocessable"),
    ],
)
async def test_every_refusal_has_the_wire_format(
    api: ApiServer, path: str, key: str | None, status: int, type_: str
) -> None:
    """Quoted: "Wire format for every non-2xx public API response.", its members, and the request id echoed."""
    more: dict[str, Any] = {} if key == "known" else {"key": key}
    reply = await api.call("GET", path, **more)
    error = reply.content["error"]
    assert (reply.status, error["type"]) == (status, type_)
    assert set(error) >= ERROR_FIELDS
    assert error["request_id"] == reply.headers["X-Request-Id"]
    ErrorEnvelope.model_validate(reply.content)
