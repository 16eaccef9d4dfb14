"""The style of hex ids, `GET /v1/sessions/session_<32 hex>`: fields, ids, status words, asked for in both ways."""

import json
import re
from datetime import datetime

import pytest
from sqlalchemy import text

from control_api.sessions.bodies.presenter import HEX_STATUS_WORDS
from sessions.ids import parse_id
from sessions.lifecycle.lifecycle import ALIASES, Status
from store.sweeping.sweeper import sweep
from tests.support.running.api_server import ApiServer, Reply
from tests.support.running.stack import eventually

ACCEPT = {"Accept": "application/vnd.parley.session+json"}
REQUIRED = ("agent_id", "created_at", "id", "organization_id", "status", "updated_at")
OPTIONAL = (
    "capabilities",
    "finished_at",
    "model_id",
    "output_preview",
    "preview",
    "started_at",
    "tags",
    "title",
    "usage",
)


def hex_id(session_id: str) -> str:
    """`session_{32-hex}` of a canonical id."""
    return f"session_{parse_id('sess', session_id).hex}"


async def both_ways(api: ApiServer, session_id: str) -> tuple[Reply, Reply]:
    """The session by its hex id, and by Accept."""
    return (
        await api.call("GET", f"/v1/sessions/{hex_id(session_id)}"),
        await api.call("GET", f"/v1/sessions/{session_id}", headers=ACCEPT),
    )


async def test_required_fields_have_the_references_formats(api: ApiServer) -> None:
    """Quoted: "format: session_{32-hex}", "org_{32-hex}", "agent_{32-hex}", "date-time"; both ways say the same."""
    session = await api.create("room")
    by_path, by_accept = await both_ways(api, session["id"])

    assert (by_path.status, by_accept.status) == (200, 200)
    assert by_path.content == by_accept_content(by_accept)
    assert by_path.headers["Content-Type"] == "application/json"
    assert by_accept.headers["Content-Type"] == "application/vnd.parley.session+json"
    shown = by_path.content
    assert all(shown[name] is not None for name in REQUIRED)
    for name, prefix in {"id": "session", "organization_id": "org", "agent_id": "agent"}.items():
        assert re.fullmatch(f"{prefix}_[0-9a-f]{{32}}", shown[name]), name
    assert shown["id"] == hex_id(session["id"])
    assert parse_id("org", session["organization_id"]).hex == shown["organization_id"].removeprefix("org_")
    for name in ("created_at", "updated_at"):
        assert datetime.fromisoformat(shown[name]).tzinfo is not None
    assert set(OPTIONAL) <= set(shown)


def by_accept_content(reply: Reply) -> object:
    """The body under a media type that is JSON, too."""
    return json.loads(reply.body)


async def test_what_was_given_at_create_is_shown(api: ApiServer) -> None:
    """Capabilities {ref, config}, model, tags, title."""
    capabilities = [
        {"ref": "capability_search", "config": {"index": "faq", "k": 3}},
        {"ref": "capability_mail", "config": None},
    ]
    model_id = "model_01933b5a000070008000000000000001"
    session = await api.create(
        "room", capabilities=[capabilities[0], {"ref": "capability_mail"}], model_id=model_id, tags=["a"], title="T"
    )
    for reply in (await api.call("GET", f"/v1/sessions/{session['id']}"), (await both_ways(api, session["id"]))[0]):
        shown = reply.content
        assert (shown["capabilities"], shown["model_id"]) == (capabilities, model_id)
        assert (shown["tags"], shown["title"]) == (["a"], "T")
    for wrong, param in [([{}], "capabilities.0.ref"), ([{"ref": "x", "config": 5}], "capabilities.0.config")]:
        refused = await api.call("POST", "/v1/sessions", {"transport": {"type": "pipecat"}, "capabilities": wrong})
        assert (refused.status, refused.content["error"]["param"]) == (422, param)


@pytest.mark.parametrize("status", list(Status))
async def test_status_is_started_active_or_idle(api: ApiServer, status: Status) -> None:
    """Quoted: "Allowed values: started active idle", for each of ours."""
    session = await api.create("room")
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text("UPDATE sessions SET status = :status, outcome = 'ended', ending_at = now()"), {"status": status.value}
        )
    reply, _ = await both_ways(api, session["id"])
    expected = {
        "created": "started",
        "queued": "started",
        "starting": "started",
        "running": "active",
        "ending": "active",
        "paused": "idle",
        "ended": "idle",
        "failed": "idle",
        "canceled": "idle",
    }
    assert reply.content["status"] == expected[status.value] == HEX_STATUS_WORDS[status]
    assert (await api.call("GET", f"/v1/sessions/{session['id']}")).content["status"] == status.value
    assert set(HEX_STATUS_WORDS) == ALIASES["active"] | ALIASES["terminal"]


async def test_the_rest_of_the_resource_is_the_canonical_one(api: ApiServer) -> None:
    """Only ids and status are spelled otherwise, so nothing is lost by asking this way."""
    session = await api.create("room")
    spelled = {"id", "organization_id", "status"}
    canonical = (await api.call("GET", f"/v1/sessions/{session['id']}")).content
    shown = (await both_ways(api, session["id"]))[0].content
    assert list(shown) == list(canonical)
    assert {name for name in canonical if shown[name] != canonical[name]} == spelled


async def test_ids_are_read_in_any_case_and_by_every_operation(api: ApiServer) -> None:
    """Both spellings are the same id everywhere."""
    session = await api.create("room")
    spelled = hex_id(session["id"])
    assert (await api.call("GET", f"/v1/sessions/{spelled.upper()}")).content["id"] == spelled
    assert (await api.call("GET", f"/v1/sessions/{spelled}/timeline")).status == 200
    assert (await api.call("GET", f"/v1/sessions?starting_after={spelled}")).status == 200
    ended = await api.call("POST", f"/v1/sessions/{spelled}/end")
    assert (ended.status, ended.content["id"]) == (200, session["id"])


async def test_invalid_ids_are_400_and_unknown_ones_404_in_the_references_words(api: ApiServer) -> None:
    """Quoted: "Invalid session ID", "Session not found". The reference's own example is a digit short."""
    example = "session_01933b5a00007000800000000000001"
    assert len(example.removeprefix("session_")) == 31
    for session_id in (example, example + "00", "session_" + "g" * 32, "session_"):
        reply = await api.call("GET", f"/v1/sessions/{session_id}")
        assert (reply.status, reply.code) == (400, "id.invalid")
        assert reply.content["error"]["message"] == "Invalid session ID"
    reply = await api.call("GET", f"/v1/sessions/{example}0")
    assert (reply.status, reply.code, reply.content["error"]["message"]) == (404, "not_found", "Session not found")


async def test_the_two_spellings_have_tags_of_their_own(api: ApiServer) -> None:
    """An ETag of one spelling is not the other's, and caches are told what the answer depends on."""
    session = await api.create("room")
    canonical = await api.call("GET", f"/v1/sessions/{session['id']}")
    by_path, by_accept = await both_ways(api, session["id"])
    assert by_path.headers["ETag"] == by_accept.headers["ETag"] != canonical.headers["ETag"]
    assert by_accept.headers["Vary"] == canonical.headers["Vary"] == "Accept"
    tag = {"If-None-Match": by_path.headers["ETag"]}
    assert (await api.call("GET", f"/v1/sessions/{hex_id(session['id'])}", headers=tag)).status == 304
    assert (await api.call("GET", f"/v1/sessions/{session['id']}", headers=tag)).status == 200


async def test_other_media_types_are_406(api: ApiServer) -> None:
    """The envelope all the same."""
    session = await api.create("room")
    reply = await api.call("GET", f"/v1/sessions/{session['id']}", headers={"Accept": "text/html"})
    assert (reply.status, reply.code) == (406, "not_acceptable")
    for accept in ("*/*", "application/*", "text/html, */*;q=0.1"):
        reply = await api.call("GET", f"/v1/sessions/{session['id']}", headers={"Accept": accept})
        assert reply.headers["Content-Type"] == "application/json"


async def test_finished_at_is_set_for_every_way_to_finish(api: ApiServer) -> None:
    """Quoted: "Timestamp when the session finished (completed or failed)"; null before."""
    session = await api.create("room")
    assert (await both_ways(api, session["id"]))[0].content["finished_at"] is None
    await api.call("POST", f"/v1/sessions/{session['id']}/cancel")
    canceled = (await both_ways(api, session["id"]))[0].content
    assert (canceled["status"], canceled["finished_at"]) == ("idle", canceled["updated_at"])
    late = await api.create("room")
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text("UPDATE sessions SET token_expires_at = now() - interval '1 s' WHERE status = 'queued'")
        )

    async def swept() -> bool:  # the server's own sweeper may be at it
        return (await sweep(api.dependencies.db, api.dependencies.settings)).swept

    await eventually(swept, what="a sweep")
    failed = (await both_ways(api, late["id"]))[0].content
    assert (failed["status"], failed["error"]["code"]) == ("idle", "worker_token.expired")
    assert failed["finished_at"] is not None
    assert failed["finished_at"] == failed["failed_at"]


async def test_previews_are_the_first_users_and_the_last_assistants_line(api: ApiServer) -> None:
    """Quoted: "from the first user message (truncated)", "from the last assistant response (truncated)"."""
    session = (await api.call("POST", "/api/sessions", {"agent_id": "a"})).content
    path = f"/v1/sessions/{session['id']}"
    shown = (await both_ways(api, session["id"]))[0].content
    assert (shown["preview"], shown["output_preview"]) == (None, None)
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    for role, content in (
        ("assistant", "Hello"),
        ("user", "a" * 198 + family),
        ("system", "be kind"),
        ("user", "second"),
        ("assistant", [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]),
    ):
        posted = await api.call("POST", path + "/messages", {"role": role, "content": content})
        assert posted.status == 201
    for reply in (*(await both_ways(api, session["id"])), await api.call("GET", path)):
        shown = json.loads(reply.body)
        assert (shown["preview"], shown["output_preview"]) == ("a" * 198, "one two")


async def test_usage_is_an_object_also_of_a_session_that_is_not_billed(api: ApiServer) -> None:
    """Quoted: "usage: one of null, …"; ours always says what it is."""
    session = (await api.call("POST", "/api/sessions", {"agent_id": "a"})).content
    shown = (await both_ways(api, session["id"]))[0].content
    assert (shown["usage"]["billable_ms"], shown["usage"]["frames"]) == (0, 0)
