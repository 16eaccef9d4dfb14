"""The style of tasks, `/api/sessions`: each operation with the bodies that the reference of this style shows."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from control_api.adapters.task_sessions.routes import WORDS
from sessions.ids import parse_id
from sessions.lifecycle.lifecycle import Status
from sessions.organizations.key_terms import SCOPES, KeyTerms
from tests.integration.store.store_services import dump_of_everything
from tests.support.running.api_server import ROOM_URL, ApiServer, worker_token

# "Request Body" of POST /api/sessions in the reference.
CREATE = {"agent_id": "CLAUDE_CODE", "task_id": "task-xyz", "prompt": "Initial prompt for the session"}


def transport(room: str, **changes: Any) -> dict[str, Any]:
    return {"type": "livekit", "url": ROOM_URL, "room_name": room, "worker_token": worker_token(room), **changes}


async def create(api: ApiServer, **fields: Any) -> dict[str, Any]:
    reply = await api.call("POST", "/api/sessions", {**CREATE, **fields})
    assert reply.status == 201, reply.content
    assert isinstance(reply.content, dict)
    return reply.content


async def canonical(api: ApiServer, session: dict[str, Any]) -> dict[str, Any]:
    content = (await api.call("GET", f"/v1/sessions/{session['id']}")).content
    assert isinstance(content, dict)
    return content


async def test_post_creates_a_text_session(api: ApiServer) -> None:
    """The answer has the five members of this style; the session has no transport, token, worker or bill."""
    session = await create(api)
    assert list(session) == ["id", "agent_id", "task_id", "status", "created_at"]
    assert (session["agent_id"], session["task_id"], session["status"]) == ("CLAUDE_CODE", "task-xyz", "created")
    resource = await canonical(api, session)
    assert (resource["kind"], resource["status"], resource["transport"]) == ("text", "created", None)
    assert (resource["prompt"], resource["data"]) == ("Initial prompt for the session", {})


async def test_get_lists_sessions_by_task_agent_and_status(api: ApiServer) -> None:
    """`{"sessions": [...]}`, bare, newest first; an unknown status is 400."""
    one, two = await create(api), await create(api, task_id="task-abc", agent_id="OTHER")
    await api.call("POST", f"/api/sessions/{two['id']}/message", {"content": "hi"})
    everything = (await api.call("GET", "/api/sessions")).content
    assert list(everything) == ["sessions"]
    assert [session["id"] for session in everything["sessions"]] == [two["id"], one["id"]]
    assert list(everything["sessions"][0]) == [
        *("id", "agent_id", "task_id", "status", "created_at", "last_active", "message_count")
    ]
    assert everything["sessions"][0]["message_count"] == 1
    for query, found in {
        "task_id=task-xyz": [one["id"]],
        "agent_id=OTHER": [two["id"]],
        "status=created": [one["id"]],
        "status=active": [two["id"]],
        "status=completed": [],
        "status=active&task_id=task-xyz": [],
    }.items():
        listed = (await api.call("GET", f"/api/sessions?{query}")).content["sessions"]
        assert [session["id"] for session in listed] == found, query
    unknown = await api.call("GET", "/api/sessions?status=ended")
    assert (unknown.status, unknown.code) == (400, "status.unknown")


async def test_get_shows_details_with_data(api: ApiServer) -> None:
    """`data` as it was sent."""
    data = {"workdir": "/path/to/project", "model": "claude-3-sonnet"}
    session = await create(api, data=data)
    details = (await api.call("GET", f"/api/sessions/{session['id']}")).content
    assert details["data"] == data
    assert list(details)[-1] == "data"
    missing = await api.call("GET", "/api/sessions/sess_01KB2F5W2Q4V9M7T8Y6R3N1C0A")
    assert (missing.status, missing.code) == (404, "not_found")


async def test_the_statuses_are_the_five_words_of_the_reference(api: ApiServer) -> None:
    """Every status of ours is one of them."""
    session = await create(api)
    words = {}
    for status in Status:
        async with api.dependencies.db.begin() as conn:
            await conn.execute(
                text("UPDATE sessions SET status = :status, outcome = 'ended', ending_at = now() WHERE id = :id"),
                {"id": parse_id("sess", session["id"]), "status": status},
            )
        words[status] = (await api.call("GET", f"/api/sessions/{session['id']}")).content["status"]
    assert words == WORDS
    assert set(words.values()) == {"created", "active", "paused", "completed", "failed"}


async def test_patch_pauses_resumes_and_completes(api: ApiServer) -> None:
    """`{"status": "paused", "data": {"notes": "Paused for review"}}`; what can't be is 409 and changes nothing."""
    session = await create(api, data={"a": 1, "b": {"c": 2}})
    path = f"/api/sessions/{session['id']}"
    for word in ("paused", "active", "failed"):
        refused = await api.call("PATCH", path, {"status": word, "data": {"a": 5}})
        assert (refused.status, refused.code) == (409, "transition.invalid"), word
    assert (await api.call("PATCH", path, {"status": "running"})).code == "status.unknown"
    await api.call("POST", path + "/message", {"content": "Please continue with the implementation"})
    paused = await api.call("PATCH", path, {"status": "paused", "data": {"notes": "Paused for review", "b": None}})
    assert (paused.status, paused.content["status"]) == (200, "paused")
    assert paused.content["data"] == {"a": 1, "notes": "Paused for review"}
    again = await api.call("PATCH", path, {"status": "paused"})
    assert (again.status, again.content) == (200, paused.content)
    assert (await api.call("PATCH", path, {"status": "active"})).content["status"] == "active"
    assert (await api.call("PATCH", path, {"status": "completed"})).content["status"] == "completed"
    refused = await api.call("PATCH", path, {"status": "active"})
    assert (refused.status, refused.code) == (409, "transition.invalid")
    resource = await canonical(api, session)
    assert (resource["status"], resource["end_reason"], resource["usage"]["billable_ms"]) == (
        "ended",
        "end.requested",
        0,
    )


async def test_patch_replaces_the_prompt_and_bounds_the_data(api: ApiServer) -> None:
    """16 KiB after the merge; nothing of a refused request is written."""
    session = await create(api, data={"a": "x" * 10_000})
    path = f"/api/sessions/{session['id']}"
    assert (await api.call("PATCH", path, {"prompt": "New"})).status == 200
    refused = await api.call("PATCH", path, {"prompt": "Newer", "data": {"b": "x" * 10_000}})
    assert (refused.status, refused.code, refused.content["error"]["param"]) == (422, "field.invalid", "data")
    assert (await canonical(api, session))["prompt"] == "New"
    unknown = await api.call("PATCH", path, {"agent_id": "x"})
    assert (unknown.status, unknown.code) == (422, "field.unknown")


async def test_a_transport_in_data_makes_a_created_session_a_voice_session(api: ApiServer) -> None:
    """It is lifted out before anything is stored; later it is 409; a bad one changes nothing."""
    session = await create(api)
    path = f"/api/sessions/{session['id']}"
    bad = await api.call("PATCH", path, {"data": {"transport": transport("room", worker_token=worker_token("b"))}})
    assert (bad.status, bad.code) == (422, "worker_token.wrong_room")
    assert bad.content["error"]["param"] == "data.transport.worker_token"
    broken = await api.call("PATCH", path, {"data": {"transport": transport("room", url=7)}})
    assert (broken.status, broken.content["error"]["param"]) == (422, "data.transport.url")
    assert (await canonical(api, session))["kind"] == "text"
    turned = await api.call("PATCH", path, {"data": {"transport": transport("room"), "x": 1}})
    assert (turned.status, turned.content["status"], turned.content["data"]) == (200, "active", {"x": 1})
    resource = await canonical(api, session)
    assert (resource["kind"], resource["status"]) == ("voice", "queued")
    assert resource["transport"]["worker_token"] == "[redacted]"
    again = await api.call("PATCH", path, {"data": {"transport": transport("room-2")}})
    assert (again.status, again.code) == (409, "transition.invalid")
    other = await create(api)
    taken = await api.call("PATCH", f"/api/sessions/{other['id']}", {"data": {"transport": transport("room")}})
    assert (taken.status, taken.code) == (409, "room.identity_in_use")
    assert taken.content["error"]["existing_session_id"] == session["id"]
    assert (await canonical(api, other))["kind"] == "text"
    voice = await create(api, data={"transport": transport("room-3")})
    assert (voice["status"], (await canonical(api, voice))["kind"]) == ("active", "voice")
    async with api.dependencies.db.begin() as conn:
        stored = (await conn.execute(text("SELECT coalesce(data::text, '') FROM sessions"))).scalars().all()
    assert "transport" not in "".join(stored)


async def test_delete_erases_the_session(api: ApiServer) -> None:
    """204, and it isn't found any more; one that records has to be ended before."""
    session = await create(api)
    path = f"/api/sessions/{session['id']}"
    await api.call("POST", path + "/message", {"content": "hi"})
    assert (await api.call("DELETE", path)).status == 204
    assert (await api.call("GET", path)).status == 404
    async with api.dependencies.db.begin() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM log_entries"))).scalar_one() == 0


async def test_a_message_is_sent_and_makes_a_text_session_active(api: ApiServer) -> None:
    """201 `{message_id, status, timestamp}`; a completed session takes none."""
    session = await create(api)
    path = f"/api/sessions/{session['id']}"
    reply = await api.call("POST", path + "/message", {"content": "Please continue with the implementation"})
    assert reply.status == 201
    assert list(reply.content) == ["message_id", "status", "timestamp"]
    assert reply.content["message_id"].startswith("msg_")
    assert reply.content["status"] == "sent"
    details = (await api.call("GET", path)).content
    assert (details["status"], details["message_count"]) == ("active", 1)
    assert details["last_active"] == reply.content["timestamp"]
    await api.call("PATCH", path, {"status": "completed"})
    refused = await api.call("POST", path + "/message", {"content": "more"})
    assert (refused.status, refused.code) == (409, "session.not_running")
    timeline = (await api.call("GET", f"/v1/sessions/{session['id']}/timeline")).content["data"]
    assert [move["status_to"] for move in timeline] == ["created", "running", "ended"]


async def test_a_repeated_create_with_its_key_makes_one_session(api: ApiServer) -> None:
    """Also with another token in the transport."""
    key = {"Idempotency-Key": "once"}
    bodies = [
        {**CREATE, "data": {"transport": transport("room", worker_token=worker_token("room", ttl=ttl))}}
        for ttl in (60, 90)
    ]
    first, second = [await api.call("POST", "/api/sessions", body, headers=key) for body in bodies]
    assert (second.status, second.content) == (201, first.content)
    assert len((await api.call("GET", "/api/sessions")).content["sessions"]) == 1


async def test_agent_id_is_required(api: ApiServer) -> None:
    """422 names it; nothing is written."""
    refused = await api.call("POST", "/api/sessions", {"task_id": "task-xyz"})
    assert (refused.status, refused.code, refused.content["error"]["param"]) == (422, "field.required", "agent_id")
    assert (await api.call("GET", "/api/sessions")).content == {"sessions": []}


# status of ours → what each word of PATCH answers: the status afterwards, or None for 409 and nothing changed
PATCHED = {
    "created": {"created": "created", "active": None, "paused": None, "completed": "canceled", "failed": None},
    "queued": {"created": None, "active": "queued", "paused": None, "completed": "canceled", "failed": None},
    "starting": {"created": None, "active": "starting", "paused": None, "completed": "canceled", "failed": None},
    "running": {"created": None, "active": "running", "paused": "paused", "completed": "ending", "failed": None},
    "paused": {"created": None, "active": "running", "paused": "paused", "completed": "ending", "failed": None},
    "ending": {"created": None, "active": "ending", "paused": None, "completed": "ending", "failed": None},
    "ended": {"created": None, "active": None, "paused": None, "completed": "ended", "failed": None},
    "canceled": {"created": None, "active": None, "paused": None, "completed": "canceled", "failed": None},
    "failed": {"created": None, "active": None, "paused": None, "completed": None, "failed": "failed"},
}
TEXT_STATUSES = ("created", "running", "paused", "ended", "canceled")


@pytest.mark.parametrize(
    ("kind", "status"), [("voice", status) for status in PATCHED] + [("text", status) for status in TEXT_STATUSES]
)
async def test_every_word_of_patch_in_every_status(api: ApiServer, kind: str, status: str) -> None:
    """The five words are commands or say what is so already; else 409, and neither data nor prompt is written."""
    assert set(PATCHED) == set(Status)
    for number, (word, expected) in enumerate(PATCHED[status].items()):
        more = {"data": {"transport": transport(f"room-{number}")}} if kind == "voice" else {}
        session = await create(api, **more)
        async with api.dependencies.db.begin() as conn:
            await conn.execute(
                text(
                    "UPDATE sessions SET status = :status, started_at = now(), outcome = 'ended',"
                    " ending_at = CASE WHEN :status = 'ending' THEN now() END,"
                    " paused_at = CASE WHEN :status = 'paused' THEN now() END WHERE id = :id"
                ),
                {"id": parse_id("sess", session["id"]), "status": status},
            )
        path = f"/api/sessions/{session['id']}"
        reply = await api.call("PATCH", path, {"status": word, "data": {"x": 1}, "prompt": "new"})
        after = await canonical(api, session)
        if expected is None:
            assert (reply.status, reply.code) == (409, "transition.invalid"), word
            assert (after["status"], after["data"], after["prompt"]) == (status, {}, CREATE["prompt"]), word
        else:
            expected = "ended" if (kind, expected) == ("text", "ending") else expected
            assert (reply.status, reply.content["status"]) == (200, WORDS[Status(expected)]), word
            assert (after["status"], after["data"], after["prompt"]) == (expected, {"x": 1}, "new"), word


async def test_the_same_command_from_many_clients_at_once_succeeds_for_each(api: ApiServer) -> None:
    """Whoever comes second finds it done."""
    session = await create(api)
    path = f"/api/sessions/{session['id']}"
    await api.call("POST", path + "/message", {"content": "hi"})
    for word in ("paused", "active", "completed"):
        async with asyncio.TaskGroup() as group:
            patches = [group.create_task(api.call("PATCH", path, {"status": word})) for _ in range(8)]
        assert [patch.result().status for patch in patches] == [200] * 8, word
        assert {patch.result().content["status"] for patch in patches} == {word}
    timeline = (await api.call("GET", f"/v1/sessions/{session['id']}/timeline")).content["data"]
    assert [move["status_to"] for move in timeline] == ["created", "running", "paused", "running", "ended"]


async def test_the_token_of_a_transport_is_nowhere(
    api: ApiServer, database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither stored in clear, nor logged, nor echoed: at create, at PATCH, and in what is refused."""
    token = worker_token("room")
    signature = token.rpartition(".")[2]
    seat = transport("room", worker_token=token)
    session = await create(api)
    path = f"/api/sessions/{session['id']}"
    replies = []
    for wrong in (
        {"data": {"transport": {**seat, "worker_token": [token]}}},
        {"data": {"transport": {**seat, token: token}}},
        {"data": {"transport": {**seat, "room_name": "other"}}},
        {"data": {"transport": token}},
        {"data": {"transport": {**seat, "type": "pipecat"}}},
        {"data": {"transport": seat}, "status": token},
        {"data": {"transport": seat}, token: 1},
    ):
        replies.append(await api.call("PATCH", path, wrong))
        replies.append(await api.call("POST", "/api/sessions", {**CREATE, **wrong}, headers={"Idempotency-Key": "bad"}))
        assert {reply.status for reply in replies[-2:]} <= {400, 422}, wrong
    replies.append(await api.call("PATCH", path, {"data": {"transport": seat, "note": "x"}}))
    assert replies[-1].status == 200
    headers = {"Idempotency-Key": "good"}
    other = {**CREATE, "data": {"transport": {**seat, "worker_identity": "recorder", "room_name": "room"}}}
    await api.call("POST", f"/v1/sessions/{session['id']}/cancel")
    for _ in range(2):
        replies.append(await api.call("POST", "/api/sessions", other, headers=headers))
        assert replies[-1].status == 201
    made = replies[-1].content["id"]
    replies += [
        await api.call("GET", where)
        for where in (f"/v1/sessions/{made}", f"/v1/sessions/{made}/events", f"/api/sessions/{made}", "/api/sessions")
    ]
    shown = b"".join(reply.body for reply in replies).decode() + "".join(str(reply.headers) for reply in replies)
    printed = "".join(capfd.readouterr())
    dump = dump_of_everything(database_url)
    assert made in shown
    assert "room" in dump
    for place in (shown, printed, dump):
        assert signature not in place


@pytest.mark.parametrize("status", ["queued", "starting", "paused", "ending", "ended", "failed"])
async def test_a_message_to_a_voice_session_that_is_not_running_waits_or_is_refused(
    api: ApiServer, status: str
) -> None:
    """`queued` until a worker can put it into the room; 409 once there is no room to come."""
    session = await create(api, data={"transport": transport("room")})
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text("UPDATE sessions SET status = :status, outcome = 'ended', started_at = now(), ending_at = now()"),
            {"status": status},
        )
    reply = await api.call("POST", f"/api/sessions/{session['id']}/message", {"content": "hi"})
    counted = (await api.call("GET", f"/api/sessions/{session['id']}")).content["message_count"]
    if status in ("ending", "ended", "failed"):
        assert (reply.status, reply.code, counted) == (409, "session.not_running", 0)
    else:
        assert (reply.status, reply.content["status"], counted) == (201, "queued", 1)


async def test_a_running_voice_session_without_a_worker_says_queued_after_two_seconds(api: ApiServer) -> None:
    """`sent` is only said when it is in the room."""
    session = await create(api, data={"transport": transport("room")})
    async with api.dependencies.db.begin() as conn:
        await conn.execute(text("UPDATE sessions SET status = 'running', started_at = now()"))
    began = asyncio.get_running_loop().time()
    reply = await api.call("POST", f"/api/sessions/{session['id']}/message", {"content": "hi"})
    assert (reply.status, reply.content["status"]) == (201, "queued")
    assert 1.9 < asyncio.get_running_loop().time() - began < 6


async def test_a_paused_text_session_takes_messages_and_stays_paused(api: ApiServer) -> None:
    """Nothing has to reach a room."""
    session = await create(api)
    path = f"/api/sessions/{session['id']}"
    await api.call("POST", path + "/message", {"content": "hi"})
    await api.call("PATCH", path, {"status": "paused"})
    reply = await api.call("POST", path + "/message", {"content": "still there"})
    assert (reply.status, reply.content["status"]) == (201, "sent")
    details = (await api.call("GET", path)).content
    assert (details["status"], details["message_count"]) == ("paused", 2)


async def test_an_agent_key_works_for_its_agent_only(api: ApiServer) -> None:
    """Another agent's sessions are neither made, listed, changed, nor named where they are in the way."""
    theirs = await create(api, agent_id="agent_b", data={"transport": transport("room")})
    _, secret = await api.dependencies.api_keys.create(
        "default", KeyTerms(kind="agent", agent_id="agent_a", scopes=SCOPES - {"keys:manage"})
    )
    key = {"key": secret.get_secret_value()}
    refused = await api.call("POST", "/api/sessions", {"agent_id": "agent_b"}, **key)
    assert (refused.status, refused.code, refused.content["error"]["param"]) == (403, "agent.not_allowed", "agent_id")
    mine = (await api.call("POST", "/api/sessions", {"agent_id": "agent_a"}, **key)).content
    for query, found in {"": [mine["id"]], "?agent_id=agent_a": [mine["id"]], "?agent_id=agent_b": []}.items():
        listed = (await api.call("GET", f"/api/sessions{query}", **key)).content["sessions"]
        assert [session["id"] for session in listed] == found, query
    seat = {"data": {"transport": transport("room")}}
    for reply in (
        await api.call("PATCH", f"/api/sessions/{mine['id']}", seat, **key),
        await api.call("POST", "/api/sessions", {"agent_id": "agent_a", **seat}, **key),
    ):
        assert (reply.status, reply.code) == (409, "room.identity_in_use")
        assert theirs["id"] not in reply.body.decode()
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"prompt": "x"}),
        ("DELETE", "", None),
        ("POST", "/message", {"content": "x"}),
    ):
        reply = await api.call(method, f"/api/sessions/{theirs['id']}{path}", body, **key)
        assert (reply.status, reply.code) == (404, "not_found")
    assert (await canonical(api, theirs))["prompt"] == CREATE["prompt"]


async def test_data_may_have_16_kib_and_whatever_json_is(api: ApiServer) -> None:
    """Bytes of UTF-8 count; nested nulls stay, those at the top delete; no NUL, no NaN, no member twice."""
    session = await create(api)
    path = f"/api/sessions/{session['id']}"
    most = 16 * 1024 - len('{"x":""}')
    for value, status in (
        ("x" * most, 200),
        ("x" * (most + 1), 422),
        ("é" * (most // 2), 200),
        ("é" * (most // 2 + 1), 422),
    ):
        assert (await api.call("PATCH", path, {"data": {"x": value}})).status == status
    odd = {"x": [1, None, {"y": None}], "": {"ü": 10**30}, "__proto__": 1, "Transport": {"a": 1}}
    reply = await api.call("PATCH", path, {"data": odd})
    assert (reply.status, reply.content["data"]) == (200, odd)
    reply = await api.call("PATCH", path, {"data": dict.fromkeys(odd)})
    assert reply.content["data"] == {}
    for body in (
        b'{"data":{"a":"\\u0000"}}',
        b'{"data":{"a":NaN}}',
        b'{"data":{"a":1,"a":2}}',
        b'{"data":{"a":1e999}}',
    ):
        raw = await api.call("PATCH", path, data=body, headers={"Content-Type": "application/json"})
        assert (raw.status, raw.code) == (400, "body.malformed"), body
    assert (await api.call("GET", path)).content["data"] == {}
