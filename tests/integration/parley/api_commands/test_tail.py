"""`parley sessions tail`: what happens and is written, as it comes, to the end."""

import asyncio

import pytest

from parley.api_commands import tail
from tests.support.running.api_server import MASTER_KEY, ApiServer
from tests.support.running.customer_shell import CustomerShell

_MINE = {"Authorization": f"Bearer {MASTER_KEY}"}


async def test_tail_shows_events_and_messages_once_and_ends_with_the_session(
    api: ApiServer, shell: CustomerShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words of people are on one line each; the last line says what became of it; as JSON, documents of the API."""
    monkeypatch.setattr(tail, "_RECOGNITION_SECONDS", 0.0)  # there is no worker that would complete the transcript
    created = await api.call("POST", "/api/sessions", {"agent_id": "a", "task_id": "t", "prompt": "Hello"})
    session_id = created.content["id"]
    words = "two\nlines \x1b[31mred"
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(shell.run("sessions", "tail", session_id))
        await _until_streams_are_open(api, 1)
        async with api.http.get(
            f"{api.base_url}/v1/sessions/{session_id}/events/stream?live=true&types=session.ended", headers=_MINE
        ) as other:
            sent = await api.call("POST", f"/v1/sessions/{session_id}/messages", {"content": words})
            assert sent.status == 201
            await other.content.readuntil(b"event: live.segment\n")  # so the command's stream has it, too
        assert (await api.call("POST", f"/v1/sessions/{session_id}/end")).status == 200
    shown = running.result()
    assert (shown.exit_code, shown.err) == (0, "")
    *lines, last = shown.out.splitlines()
    types = [word for line in lines for word in line.split() if word.startswith("session.")]
    assert (types[0], types[-1]) == ("session.created", "session.ended")
    assert len(types) == len(set(types))
    said = [line for line in lines if "user: " in line]
    assert len(said) == 1
    assert "session.ended" in "".join(lines[lines.index(said[0]) :])  # by the stream, not from the transcript
    assert said[0].endswith("user: two\N{REPLACEMENT CHARACTER}lines \N{REPLACEMENT CHARACTER}[31mred")
    assert last.startswith(f"{session_id}: ended")
    again = await shell.run("sessions", "tail", session_id, "--json")
    kinds = [(document["object"], document.get("type") or document["text"]) for document in again.documents]
    assert ("event", "session.ended") in kinds
    assert ("transcript_segment", words) in kinds
    assert len(kinds) == len(set(kinds))


async def _until_streams_are_open(api: ApiServer, count: int) -> None:
    while True:
        if f"parley_api_event_streams {count}.0" in (await api.call("GET", "/metrics")).body.decode():
            return
        await asyncio.sleep(0.05)
