"""Messages of a session through the canonical operations."""

import asyncio
from uuid import UUID

from sqlalchemy import text

from sessions.ids import parse_id
from store.runs.fence import Fence
from store.sessions.log.session_log import LogEntry
from tests.support.running.api_server import ApiServer


async def run_session(api: ApiServer, session_id: str) -> Fence:
    """Let the session be running, as if a worker had it."""
    fence = Fence(parse_id("sess", session_id), 1, UUID(int=7))
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text("UPDATE sessions SET status = 'running', epoch = 1, started_at = now() WHERE id = :id"),
            {"id": fence.session_id},
        )
        await conn.execute(
            text(
                "INSERT INTO runs (session_id, epoch, owner, host, claimed_at, beat_at)"
                " VALUES (:id, 1, :owner, 'host', now(), now())"
            ),
            {"id": fence.session_id, "owner": fence.owner},
        )
    return fence


async def deliver_when_posted(api: ApiServer, fence: Fence) -> list[LogEntry]:
    """What a worker does: look for messages until there are some, and say that they are in the room."""
    log = api.dependencies.sessions.log
    waiting: list[LogEntry] = []
    for _ in range(500):
        waiting = await log.undelivered(fence.session_id)
        if waiting:
            break
        await asyncio.sleep(0.02)
    await log.delivered(fence, [entry.seq for entry in waiting])
    return waiting


async def test_a_message_to_a_queued_session_is_queued_and_listed(api: ApiServer) -> None:
    """201 at once, and the session counts it."""
    session = await api.create("room-a")
    path = f"/v1/sessions/{session['id']}"
    posted = await api.call("POST", path + "/messages", {"content": "Hello  there"})
    listed = await api.call("GET", path + "/messages")
    after = (await api.call("GET", path)).content
    assert posted.status == 201
    assert posted.content["id"].startswith("msg_")
    assert (posted.content["status"], posted.content["role"], posted.content["seq"]) == ("queued", "user", 1)
    assert listed.content == {"object": "list", "data": [posted.content], "has_more": False, "next_cursor": None}
    assert (after["message_count"], after["preview"], after["output_preview"]) == (1, "Hello there", None)
    assert after["last_active_at"] is not None


async def test_a_message_is_sent_once_the_worker_has_put_it_into_the_room(api: ApiServer) -> None:
    """The answer waits for the worker's word."""
    session = await api.create("room-a")
    fence = await run_session(api, session["id"])
    async with asyncio.TaskGroup() as group:
        delivering = group.create_task(deliver_when_posted(api, fence))
        posting = group.create_task(
            api.call("POST", f"/v1/sessions/{session['id']}/messages", {"content": "Please continue"})
        )
    assert [entry.text for entry in delivering.result()] == ["Please continue"]
    assert (posting.result().status, posting.result().content["status"]) == (201, "sent")
    assert posting.result().content["delivered_at"] is not None


async def test_a_message_that_no_worker_takes_is_queued_after_two_seconds(api: ApiServer) -> None:
    """Not earlier, and not much later."""
    session = await api.create("room-a")
    await run_session(api, session["id"])
    started = asyncio.get_running_loop().time()
    posted = await api.call("POST", f"/v1/sessions/{session['id']}/messages", {"content": "Is anybody there?"})
    assert (posted.status, posted.content["status"]) == (201, "queued")
    assert 2 <= asyncio.get_running_loop().time() - started < 5


async def test_a_repeated_post_with_its_key_logs_one_message_and_answers_the_same(api: ApiServer) -> None:
    """Also the status that was told, although it was not known when the message was logged."""
    session = await api.create("room-a")
    fence = await run_session(api, session["id"])
    path, key = f"/v1/sessions/{session['id']}/messages", {"Idempotency-Key": "once"}
    async with asyncio.TaskGroup() as group:
        group.create_task(deliver_when_posted(api, fence))
        posting = group.create_task(api.call("POST", path, {"content": "Once"}, headers=key))
    again = await api.call("POST", path, {"content": "Once"}, headers=key)
    assert (again.status, again.content) == (201, posting.result().content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content["status"] == "sent"
    assert len((await api.call("GET", path)).content["data"]) == 1


async def test_pages_go_on_after_a_seq(api: ApiServer) -> None:
    """Oldest first; the cursor is the last seq; previews are the first user's and the last assistant's line."""
    session = await api.create("room-a")
    path = f"/v1/sessions/{session['id']}"
    for number in range(3):
        await api.call("POST", path + "/messages", {"content": f"question {number}"})
        await api.call("POST", path + "/messages", {"content": f"answer {number}" + "!" * 300, "role": "assistant"})
    first = (await api.call("GET", path + "/messages?limit=4")).content
    second = (await api.call("GET", path + f"/messages?limit=4&after={first['next_cursor']}")).content
    after = (await api.call("GET", path)).content
    assert [message["seq"] for message in first["data"]] == [1, 2, 3, 4]
    assert (first["has_more"], first["next_cursor"]) == (True, "4")
    assert [message["seq"] for message in second["data"]] == [5, 6]
    assert (second["has_more"], second["next_cursor"]) == (False, None)
    assert after["preview"] == "question 0"
    assert after["output_preview"] == "answer 2" + "!" * 192
    assert after["message_count"] == 6


async def test_content_blocks_are_kept_as_they_were(api: ApiServer) -> None:
    """The room gets their text."""
    session = await api.create("room-a")
    blocks = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    posted = await api.call("POST", f"/v1/sessions/{session['id']}/messages", {"content": blocks})
    assert (posted.content["content"], posted.content["text"]) == (blocks, "one\ntwo")


async def test_bad_messages_are_refused_and_nothing_is_written(api: ApiServer) -> None:
    """422 names the field; a settled session takes none; others' sessions aren't found."""
    session = await api.create("room-a")
    path = f"/v1/sessions/{session['id']}"
    for body, code, param in (
        ({}, "field.required", "content"),
        ({"content": ""}, "field.invalid", "content"),
        ({"content": " \n"}, "field.invalid", "content"),
        ({"content": 7}, "field.invalid", "content"),
        ({"content": [{"type": "text"}]}, "field.required", "content.0.text"),
        ({"content": "x", "role": "robot"}, "field.invalid", "role"),
        ({"content": "x", "to": "y"}, "field.unknown", "to"),
    ):
        reply = await api.call("POST", path + "/messages", body)
        assert (reply.status, reply.code) == (422, code), body
        assert reply.content["error"]["param"] == param
    await api.call("POST", path + "/cancel")
    refused = await api.call("POST", path + "/messages", {"content": "too late"})
    missing = await api.call("POST", "/v1/sessions/sess_01KB2F5W2Q4V9M7T8Y6R3N1C0A/messages", {"content": "x"})
    assert (refused.status, refused.code) == (409, "session.not_running")
    assert (missing.status, missing.code) == (404, "not_found")
    assert (await api.call("GET", path + "/messages")).content["data"] == []
