"""A customer archives a session that runs, and deletes it once it has ended: of a real recording nothing is left."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.beeps import BeepPlan
from tests.support.stack import Stack


async def test_an_archived_session_runs_bills_and_ends_and_deleted_nothing_of_it_is_left(
    stack: Stack, room: str, talker: Callable[..., Any], tmp_path: Path
) -> None:
    """Archived while it runs; 409 until it has ended; then no file has its name, and the bill stays."""
    await stack.start_api()
    await stack.start_worker()
    async with talker("ann", BeepPlan(pitch_hz=600)):
        session = await stack.create(room, agent_id="agent_a")
        name = session["id"]
        await stack.reach(name, "running")
        adapter = f"/v1/agents/agent_a/sessions/{name}"
        assert (await stack.call("POST", adapter + "/archive"))[0] == 204
        await asyncio.sleep(3)
        assert (await stack.get(name))["status"] == "running"
        assert (await stack.call("DELETE", adapter))[0] == 409
        ended = await stack.end(name)
    assert (ended["status"], ended["archived_at"] is not None) == ("ended", True)
    assert ended["usage"]["billable_ms"] > 2500
    assert any(name in str(path) for path in tmp_path.rglob("*"))

    status, _ = await stack.call("DELETE", f"/v1/agents/agent_a/sessions/archived/{name}")
    assert status == 204
    assert [path for path in tmp_path.rglob("*") if name in str(path)] == []
    assert (await stack.call("GET", f"/v1/sessions/{name}"))[0] == 404
    _, page = await stack.call("GET", f"/v1/usage/events?session_id={name}")
    assert page["data"][-1]["to_ms"] == ended["usage"]["billable_ms"]
