"""`/api/sessions` from end to end: a task's text session becomes a voice session, whose messages reach a real room."""

import asyncio
from pathlib import Path
from typing import Any

from livekit import rtc

from tests.integration.store.store_services import dump_of_everything
from tests.support.running.file_tree import contents_below
from tests.support.running.stack import Stack, eventually


async def test_a_task_session_takes_a_transport_talks_pauses_and_completes(
    stack: Stack, room: str, tmp_path: Path
) -> None:
    """created → active, `sent` when the room has it, paused, active, completed; the token is nowhere in clear."""
    await stack.start_api()
    await stack.start_worker(PARLEY_SPEECH_ENGINE="none")
    heard: asyncio.Queue[str] = asyncio.Queue()
    reading: set[asyncio.Task[None]] = set()

    async def read(reader: rtc.TextStreamReader) -> None:
        await heard.put(await reader.read_all())

    ann = rtc.Room()
    ann.register_text_stream_handler(
        "lk.chat", lambda reader, _identity: reading.add(asyncio.create_task(read(reader)))
    )
    await ann.connect(stack.livekit.url, stack.token(room, "ann", hidden=False, recorder=False))

    async def call(method: str, path: str, body: Any = None, expected: int = 200) -> Any:
        status, content = await stack.call(method, path, body)
        assert status == expected, content
        return content

    body = {"agent_id": "CLAUDE_CODE", "task_id": "task-xyz", "prompt": "Initial prompt for the session"}
    session = await call("POST", "/api/sessions", body, 201)
    assert session["status"] == "created"
    path = f"/api/sessions/{session['id']}"
    token = stack.token(room, hidden=False)
    transport = {"type": "livekit", "url": stack.livekit.url, "room_name": room, "worker_token": token}
    turned = await call("PATCH", path, {"data": {"transport": transport, "workdir": "/path/to/project"}})
    assert (turned["status"], turned["data"]) == ("active", {"workdir": "/path/to/project"})
    await stack.reach(session["id"], "running")

    async with asyncio.timeout(20):
        sent = await call("POST", path + "/message", {"content": "Please continue with the implementation"}, 201)
        assert sent["status"] == "sent"
        assert await heard.get() == "Please continue with the implementation"

        paused = await call("PATCH", path, {"status": "paused", "data": {"notes": "Paused for review"}})
        assert (paused["status"], paused["data"]["notes"]) == ("paused", "Paused for review")
        waiting = await call("POST", path + "/message", {"content": "later"}, 201)
        assert waiting["status"] == "queued"
        await asyncio.sleep(1)
        assert heard.empty()
        assert (await call("PATCH", path, {"status": "active"}))["status"] == "active"
        assert await heard.get() == "later"

    assert (await call("PATCH", path, {"status": "completed"}))["status"] in ("active", "completed")

    async def completed() -> bool:
        return bool((await call("GET", path))["status"] == "completed")

    await eventually(completed, what="the session is completed")
    await ann.disconnect()
    details = await call("GET", path)
    assert (details["message_count"], details["data"]["workdir"]) == (2, "/path/to/project")
    assert [one["id"] for one in (await call("GET", "/api/sessions?status=completed"))["sessions"]] == [session["id"]]
    signature = token.rpartition(".")[2]
    assert signature not in dump_of_everything(stack.database_url)
    for file, content in contents_below(tmp_path):
        assert signature.encode() not in content, file
