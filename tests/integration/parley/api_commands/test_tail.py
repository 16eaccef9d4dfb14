"""`parley sessions tail`: what happens and is written, as it comes, to the end."""

import asyncio

import pytest

from parley.api_commands import tail
from tests.support.running.api_server import ApiServer
from tests.support.running.customer_shell import CustomerShell


async def test_tail_shows_events_and_messages_once_and_ends_with_the_session(
    api: ApiServer, shell: CustomerShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words of people are on one line each; the last line says what became of it; as JSON, documents of the API."""
    monkeypatch.setattr(tail, "_RECOGNITION_SECONDS", 0.0)  # there is no worker that would complete the transcript
    monkeypatch.setattr(tail, "_TRANSCRIPT_SECONDS", 0.1)
    created = await api.call("POST", "/api/sessions", {"agent_id": "a", "task_id": "t", "prompt": "Hello"})
    session_id = created.content["id"]
    words = "two\nlines \x1b[31mred"
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(shell.run("sessions", "tail", session_id))
        sent = await api.call("POST", f"/v1/sessions/{session_id}/messages", {"content": words})
        assert sent.status == 201
        await asyncio.sleep(0.3)
        assert (await api.call("POST", f"/v1/sessions/{session_id}/end")).status == 200
    shown = running.result()
    assert (shown.exit_code, shown.err) == (0, "")
    *lines, last = shown.out.splitlines()
    types = [word for line in lines for word in line.split() if word.startswith("session.")]
    assert (types[0], types[-1]) == ("session.created", "session.ended")
    assert len(types) == len(set(types))
    said = [line for line in lines if "user: " in line]
    assert len(said) == 1
    assert said[0].endswith("user: two\N{REPLACEMENT CHARACTER}lines \N{REPLACEMENT CHARACTER}[31mred")
    assert last.startswith(f"{session_id}: ended")
    again = await shell.run("sessions", "tail", session_id, "--json")
    kinds = [(document["object"], document.get("type") or document["text"]) for document in again.documents]
    assert ("event", "session.ended") in kinds
    assert ("transcript_segment", words) in kinds
    assert len(kinds) == len(set(kinds))
