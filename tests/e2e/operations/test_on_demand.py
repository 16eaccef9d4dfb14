"""A worker's processes for speech and webhooks run while there is work for them, and nothing waits long for one."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

from tests.support.network.webhook_listener import webhook_listener
from tests.support.running.stack import Process, Stack, eventually

SETTINGS = {
    "PARLEY_WEBHOOK_ALLOW_HTTP": "true",
    "PARLEY_WEBHOOK_ALLOW_PRIVATE_HOSTS": "true",
    "PARLEY_WEBHOOK_PORTS": "0",
    "PARLEY_IDLE_PROCESS_SECONDS": "1",
}
SOON_SECONDS = 30.0  # a second on a quiet machine


def _is_there(worker: Process, name: str, there: bool) -> Callable[[], Awaitable[bool]]:
    async def probe() -> bool:
        return bool(worker.living(name)) == there

    return probe


async def test_processes_come_with_their_work_and_go_after_it(stack: Stack, room: str) -> None:
    """An idle worker has neither; each event is delivered, also the first one after the process had ended."""
    stack.settings = SETTINGS
    await stack.start_api()
    worker = await stack.start_worker()
    assert not worker.living("speech")
    assert not worker.living("webhooks")
    async with webhook_listener() as hooks:
        status, endpoint = await stack.call("POST", "/v1/webhook_endpoints", {"url": hooks.url})
        assert status == 201, endpoint
        hooks.secret = endpoint["secret"]
        for number in (1, 2):
            await _cancel_one(stack, f"{room}-{number}")
            began = monotonic()

            async def told(canceled: int = number) -> bool:
                types = [json.loads(body)["type"] for body in hooks.bodies]
                return types.count("session.created") == types.count("session.canceled") == canceled

            await eventually(told, seconds=SOON_SECONDS, what="what happened is told")
            print(f"told after {monotonic() - began:.2f} s")  # noqa: T201 - shown with the figures
            await eventually(_is_there(worker, "webhooks", False), what="the process goes")
    assert hooks.refused == 0
    started = [line for line in worker.log().splitlines() if "child.started" in line and '"webhooks"' in line]
    assert len(started) >= 2
    assert "child.died" not in worker.log()


async def _cancel_one(stack: Stack, room: str) -> None:
    """Two events of a session that waits for its time, without a room."""
    start_at = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    session = await stack.create(room, start_at=start_at)
    status, _ = await stack.call("POST", f"/v1/sessions/{session['id']}/cancel")
    assert status == 200
