"""Everything through PgBouncer in transaction mode, on few connections, with nothing that goes past it."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import soundfile

from parley.servers.livekit_server import LiveKitServer
from tests.support.beeps import BeepPlan, assert_true_recording, check_beeps
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres_cluster import PostgresCluster
from tests.support.stack import Stack
from tools.compatibility import note

PLAN = BeepPlan(pitch_hz=1000)
REQUESTS, AT_ONCE = 300, 12


async def test_a_session_is_recorded_through_pgbouncer(
    own_postgres: PostgresCluster, livekit: LiveKitServer, room: str, talker: Callable[..., Any], tmp_path: Path
) -> None:
    """From create to `ended`, while other clients ask on; no answer is an error, and no process of ours dies."""
    folder = own_postgres.folder.with_name(f"{own_postgres.folder.name}-b")
    with PgBouncer(folder, own_postgres.folder, connections=4) as pooler:
        async with Stack(tmp_path, pooler.url, livekit) as stack:
            await stack.start_api()
            worker = await stack.start_worker()
            async with talker("ann", PLAN):
                session = await stack.create(room)
                await stack.reach(session["id"], "running")
                statuses = await _ask_on(stack, room)
                await asyncio.sleep(4)
                ended = await stack.end(session["id"])
            samples, rate = soundfile.read(await stack.download(session["id"], tmp_path / "a.wav"), dtype="int16")
            worker_log = worker.log()
        with psycopg.connect(pooler.url) as conn:
            server_version = conn.info.parameter_status("server_version")
    shutil.rmtree(folder)

    assert statuses == {201: REQUESTS // 3, 200: REQUESTS - REQUESTS // 3}
    assert (ended["status"], ended["epoch"]) == ("ended", 1)
    assert_true_recording([check_beeps(samples, PLAN, 1, len(samples) / rate - 0.5)])
    assert "child.died" not in worker_log
    note(
        "pooler",
        "PgBouncer",
        version=f"{pooler.version}, transaction mode",
        run=f"a session recorded, and {REQUESTS} requests beside it, over 4 connections to the server",
        lacks="LISTEN: without `PARLEY_DATABASE_DIRECT_URL` commands reach a worker with its next beat, and new"
        " sessions are claimed within 1.2 s",
    )
    note("database", "PostgreSQL", version=f"{server_version}", run="every test")


async def _ask_on(stack: Stack, room: str) -> Counter[int]:
    """What so many creates, reads and cancels are answered."""
    statuses: Counter[int] = Counter()
    start_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    async def client(number: int) -> None:
        for round_ in range(REQUESTS // 3 // AT_ONCE + 1):
            if number + round_ * AT_ONCE >= REQUESTS // 3:
                return
            name = f"{room}-{number}-{round_}"
            transport = {
                "type": "livekit",
                "url": stack.livekit.url,
                "room_name": name,
                "worker_token": stack.token(name, ttl=7200),
            }
            status, made = await stack.call("POST", "/v1/sessions", {"transport": transport, "start_at": start_at})
            statuses[status] += 1
            for method, path in (("GET", ""), ("POST", "/cancel")):
                status, _ = await stack.call(method, f"/v1/sessions/{made['id']}{path}")
                statuses[status] += 1

    async with asyncio.TaskGroup() as group:
        for number in range(AT_ONCE):
            group.create_task(client(number))
    return statuses
