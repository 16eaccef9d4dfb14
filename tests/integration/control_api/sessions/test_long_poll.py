"""`?until=…` with `Prefer: wait=N`."""

import asyncio
import time

import pytest

from control_api.sessions import long_poll
from tests.support.running.api_server import ApiServer, Reply


async def _wait(api: ApiServer, session_id: str, until: str, prefer: str | None = "wait=20") -> tuple[Reply, float]:
    started = time.monotonic()
    headers = {} if prefer is None else {"Prefer": prefer}
    reply = await api.call("GET", f"/v1/sessions/{session_id}?until={until}", headers=headers)
    return reply, time.monotonic() - started


async def test_a_waiting_client_is_woken_by_another_process(
    api: ApiServer, twin: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NOTIFY alone brings the change: nothing is polled here."""
    monkeypatch.setattr(long_poll, "POLL_SECONDS", 60)
    session = await api.create("room")
    for until in ("running", "terminal"):
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(_wait(api, session["id"], until))
            await asyncio.sleep(0.5)
            stopped = await twin.call("POST", f"/v1/sessions/{session['id']}/cancel")
        reply, seconds = waiting.result()
        assert (reply.status, reply.content) == (200, stopped.content)
        assert seconds < 8
        assert reply.headers["Preference-Applied"] == "wait=20"
        session = await api.create("room")


async def test_the_wait_is_bounded_by_the_client(api: ApiServer) -> None:
    """After N seconds the resource as it is, or 304 when it has not changed."""
    session = await api.create("room")
    reply, seconds = await _wait(api, session["id"], "running", "respond-async, wait=1")
    assert (reply.status, reply.content["status"]) == (200, "queued")
    assert 0.9 <= seconds < 4
    headers = {"Prefer": "wait=1", "If-None-Match": reply.headers["ETag"]}
    unchanged = await api.call("GET", f"/v1/sessions/{session['id']}?until=running", headers=headers)
    assert unchanged.status == 304


async def test_nobody_waits_who_does_not_ask_to(api: ApiServer) -> None:
    """Without Prefer, with an unreadable one, and when the goal is reached already."""
    session = await api.create("room")
    for prefer in (None, "wait=soon", "wait=0", "return=minimal"):
        reply, seconds = await _wait(api, session["id"], "terminal", prefer)
        assert (reply.content["status"], seconds < 2) == ("queued", True), prefer
    await api.call("POST", f"/v1/sessions/{session['id']}/cancel")
    reply, seconds = await _wait(api, session["id"], "running")
    assert (reply.content["status"], seconds < 2) == ("canceled", True)


async def test_a_stopping_server_answers_those_who_wait(api: ApiServer) -> None:
    """In-flight long polls end with what there is; the server is gone afterwards."""
    session = await api.create("room")
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(_wait(api, session["id"], "terminal"))
        await asyncio.sleep(0.5)
        api.stopping.set()
    reply, seconds = waiting.result()
    assert (reply.status, reply.content["status"]) == (200, "queued")
    assert seconds < 5
    async with asyncio.timeout(10):
        await api.task


async def test_a_key_that_was_revoked_meanwhile_is_shown_nothing(
    api: ApiServer, twin: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait began with a good key; what happens afterwards is not that key's to know."""
    monkeypatch.setattr(long_poll, "POLL_SECONDS", 60)
    session = await api.create("room", agent_id="agent_a")
    body = {"kind": "agent", "agent_id": "agent_a", "scopes": ["sessions:read"]}
    key = (await api.call("POST", "/v1/api_keys", body)).content
    path = f"/v1/sessions/{session['id']}?until=terminal"
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(api.call("GET", path, headers={"Prefer": "wait=20"}, key=key["key"]))
        await asyncio.sleep(0.5)
        await twin.call("DELETE", f"/v1/api_keys/{key['id']}")
        await twin.call("POST", f"/v1/sessions/{session['id']}/cancel")
    assert (waiting.result().status, waiting.result().code) == (401, "key.invalid")
