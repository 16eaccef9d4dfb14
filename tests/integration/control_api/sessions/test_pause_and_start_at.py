"""`POST …/pause`, `POST …/resume` and `start_at`."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from sessions.ids import parse_id
from sessions.texts.timestamps import format_timestamp
from store.sweeping.sweeper import sweep
from tests.support.running.api_server import ApiServer, create_body, worker_token

# status: what pause and resume answer
MEANINGS = {
    "created": (409, 409),
    "queued": (409, 409),
    "starting": (409, 409),
    "running": (200, 200),
    "paused": (200, 200),
    "ending": (409, 409),
    "ended": (409, 409),
    "failed": (409, 409),
    "canceled": (409, 409),
}


async def put_into(api: ApiServer, session_id: str, status: str) -> None:
    """Let the session have this status, as if it had got there."""
    async with api.dependencies.db.begin() as conn:
        await conn.execute(
            text(
                "UPDATE sessions SET status = :status, started_at = now(), outcome = 'ended', ending_at = now()"
                " WHERE id = :id"
            ),
            {"id": parse_id("sess", session_id), "status": status},
        )


@pytest.mark.parametrize("status", MEANINGS)
async def test_pause_and_resume_mean_something_while_it_runs(api: ApiServer, status: str) -> None:
    """Elsewhere 409 transition.invalid, and nothing changes; where it is so already, 200 unchanged."""
    for command, expected, target in zip(("pause", "resume"), MEANINGS[status], ("paused", "running"), strict=True):
        session = await api.create(f"room-{command}")
        await put_into(api, session["id"], status)
        before = (await api.call("GET", f"/v1/sessions/{session['id']}")).content
        reply = await api.call("POST", f"/v1/sessions/{session['id']}/{command}")
        after = (await api.call("GET", f"/v1/sessions/{session['id']}")).content
        assert reply.status == expected
        if expected == 409:
            assert (reply.code, after) == ("transition.invalid", before)
        else:
            assert (reply.content, after["status"]) == (after, target)
            assert (after == before) == (status == target)
            assert (after["paused_at"] is not None) == (status != target and target == "paused")


async def test_every_pause_is_in_the_timeline_and_in_the_log_of_pauses(api: ApiServer) -> None:
    """Two pauses: running ⇄ paused, each with its stamps, which are those of the resource."""
    session = await api.create("room-a")
    path = f"/v1/sessions/{session['id']}"
    await put_into(api, session["id"], "running")
    paused_at = []
    for _ in range(2):
        paused_at.append((await api.call("POST", path + "/pause")).content["paused_at"])
        resumed = (await api.call("POST", path + "/resume")).content
        assert (resumed["paused_at"], resumed["status"]) == (None, "running")
    moves = [move["status_to"] for move in (await api.call("GET", path + "/timeline")).content["data"]]
    async with api.dependencies.db.begin() as conn:
        pauses = (await conn.execute(text("SELECT * FROM session_pauses ORDER BY paused_at"))).all()
    assert moves[-4:] == ["paused", "running", "paused", "running"]
    assert [format_timestamp(row.paused_at) for row in pauses] == paused_at
    assert all(row.resumed_at > row.paused_at for row in pauses)


async def test_a_session_is_created_until_its_start_and_queued_then(api: ApiServer) -> None:
    """The sweeper takes it there; before, it can be canceled like any other."""
    ahead = datetime.now(UTC) + timedelta(seconds=60)
    session = await api.create("room-a", start_at=format_timestamp(ahead))
    path = f"/v1/sessions/{session['id']}"
    assert (session["status"], session["queued_at"]) == ("created", None)
    assert session["start_at"] == format_timestamp(ahead)
    db, settings = api.dependencies.db, api.dependencies.settings
    await sweep(db, settings)
    assert (await api.call("GET", path)).content["status"] == "created"
    async with db.begin() as conn:
        await conn.execute(text("UPDATE sessions SET start_at = now()"))
    await sweep(db, settings)
    queued = (await api.call("GET", path)).content
    moves = [move["status_to"] for move in (await api.call("GET", path + "/timeline")).content["data"]]
    assert (queued["status"], moves) == ("queued", ["created", "queued"])
    assert queued["queued_at"] is not None


async def test_a_start_that_has_passed_queues_at_once(api: ApiServer) -> None:
    """And is shown as it was asked for."""
    session = await api.create("room-a", start_at="2026-01-01T00:00:00+01:00")
    assert (session["status"], session["start_at"]) == ("queued", "2025-12-31T23:00:00.000Z")


async def test_a_token_that_expires_before_the_start_is_refused_and_nothing_is_written(api: ApiServer) -> None:
    """One that lives longer is not."""
    start_at = format_timestamp(datetime.now(UTC) + timedelta(seconds=300))
    short = create_body("room-a", transport={"worker_token": worker_token("room-a", ttl=200)}, start_at=start_at)
    refused = await api.call("POST", "/v1/sessions", short)
    assert (refused.status, refused.code) == (422, "worker_token.expired")
    assert refused.content["error"]["param"] == "transport.worker_token"
    assert (await api.call("GET", "/v1/sessions")).content["data"] == []
    assert (await api.create("room-a", start_at=start_at))["status"] == "created"


async def test_a_fresh_token_that_expires_before_the_start_is_refused_too(api: ApiServer) -> None:
    """The one that is there stays; one that lives longer takes its place."""
    start_at = datetime.now(UTC) + timedelta(seconds=300)
    session = await api.create("room-a", start_at=format_timestamp(start_at))
    path = f"/v1/sessions/{session['id']}/worker_token"
    refused = await api.call("PUT", path, {"worker_token": worker_token("room-a", ttl=200)})
    assert (refused.status, refused.code) == (422, "worker_token.expired")
    assert refused.content["error"]["param"] == "worker_token"
    async with api.dependencies.db.begin() as conn:
        [expires_at] = (await conn.execute(text("SELECT expires_at FROM worker_tokens"))).scalars()
        assert expires_at > start_at
    assert (await api.call("PUT", path, {"worker_token": worker_token("room-a", ttl=400)})).status == 200
