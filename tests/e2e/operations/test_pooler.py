"""Everything through PgBouncer in transaction mode, on few connections, with nothing that goes past it."""

import asyncio
import re
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import soundfile

from parley.servers.livekit_server import LiveKitServer
from tests.support.rules.never_silently_wrong import assert_never_silently_wrong
from tests.support.running.stack import Stack, recorders
from tests.support.services.pgbouncer import PgBouncer
from tests.support.services.postgres_cluster import PostgresCluster
from tests.support.talkers.beeps import BeepPlan, assert_true_recording, check_beeps, mint_token
from tests.support.talkers.slots import SlotTalker, SlotVoice, Truth
from tools.compatibility import note

PLAN = BeepPlan(pitch_hz=1000)
REQUESTS, AT_ONCE = 300, 12
SESSIONS, SESSIONS_AT_ONCE, RECORDED_EVERY = 300, 6, 25
RECORDED_SECONDS = 6.0
LOOK_SECONDS = 0.4


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
    # Who asks beside it takes all of the machine: what is disturbed lies 100 ms off at most.
    assert_true_recording([check_beeps(samples, PLAN, 1, len(samples) / rate - 0.5)], spacing_ms=100)
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


@pytest.mark.long
async def test_hundreds_of_sessions_live_and_end_through_pgbouncer(
    own_postgres: PostgresCluster, livekit: LiveKitServer, room: str, tmp_path: Path
) -> None:
    """Recorded, canceled, ended in an empty room, refused by the room: each ends as it should, without an error."""
    folder = own_postgres.folder.with_name(f"{own_postgres.folder.name}-b")
    with PgBouncer(folder, own_postgres.folder, connections=4) as pooler:
        async with Stack(tmp_path, pooler.url, livekit) as stack:
            await stack.start_api()
            worker = await stack.start_worker(PARLEY_PROCESSES="2", PARLEY_SPEECH_ENGINE="none")
            before = {one.pid for one in recorders(worker.popen.pid)}
            numbers = iter(range(SESSIONS))
            ends: Counter[tuple[str, str]] = Counter()
            talkers: dict[str, SlotTalker] = {}

            async def client() -> None:
                for number in numbers:
                    how = "recorded" if number % RECORDED_EVERY == 0 else ("canceled", "empty", "refused")[number % 3]
                    ends[how, await _LIVES[how](stack, f"{room}-{number}", talkers)] += 1

            async with asyncio.TaskGroup() as group:
                for _ in range(SESSIONS_AT_ONCE):
                    group.create_task(client())
            after = {one.pid for one in recorders(worker.popen.pid)}
            truths: list[Truth] = []
            for session_id, talker in talkers.items():
                truths += (await assert_never_silently_wrong(stack, session_id, [talker], tmp_path)).values()
            answers = Counter(re.findall(r'"status": (\d+).*"event": "request.answered"', stack.processes[0].log()))
            logs = [process.log() for process in stack.processes]
    shutil.rmtree(folder)
    print(f"{ends}, answers: {answers}, heard: {[truth.heard for truth in truths]}")  # noqa: T201 - shown with the figures

    assert ends.total() == SESSIONS
    assert ends["recorded", "ended"] == SESSIONS // RECORDED_EVERY
    assert set(ends) == {("recorded", "ended"), ("canceled", "canceled"), ("empty", "ended"), ("refused", "failed")}
    assert [status for status in answers if status >= "400"] == []
    assert answers.total() > 2 * SESSIONS
    assert after == before, "a recorder died"
    assert [truth.lost for truth in truths] == [0] * len(talkers)
    assert sum(truth.heard for truth in truths) > 10 * len(talkers), "the others were torn by a busy machine"
    assert not [log for log in logs if "database.away" in log or "child.died" in log]


async def _record(stack: Stack, room: str, talkers: dict[str, SlotTalker]) -> str:
    """Somebody speaks."""
    token = mint_token(stack.livekit.api_key, stack.livekit.api_secret, room, "ann")
    async with SlotTalker(stack.livekit.url, token, SlotVoice(0)) as ann:
        session = await stack.create(room)
        talkers[session["id"]] = ann
        await _reach(stack, session["id"], "running")
        await asyncio.sleep(RECORDED_SECONDS)
        return await _stop(stack, session["id"], "end")


async def _cancel(stack: Stack, room: str, talkers: dict[str, SlotTalker]) -> str:
    """Right after it was made, wherever it is then."""
    session = await stack.create(room)
    return await _stop(stack, session["id"], "cancel")


async def _end_alone(stack: Stack, room: str, talkers: dict[str, SlotTalker]) -> str:
    """In a room where nobody is."""
    session = await stack.create(room)
    await _reach(stack, session["id"], "running")
    return await _stop(stack, session["id"], "end")


async def _be_refused(stack: Stack, room: str, talkers: dict[str, SlotTalker]) -> str:
    """By a server whose secret another one has signed the token with."""
    token = mint_token(stack.livekit.api_key, "another secret of thirty-two chars", room, "parley-recorder")
    session = await stack.create(room, token=token)
    return await _reach(stack, session["id"], *_OVER)


async def _stop(stack: Stack, session_id: str, command: str) -> str:
    status, answer = await stack.call("POST", f"/v1/sessions/{session_id}/{command}")
    assert status == 200, answer
    return await _reach(stack, session_id, *_OVER)


async def _reach(stack: Stack, session_id: str, *statuses: str) -> str:
    """The status, as soon as it is one of these; asked for seldom, as it is not the API that is to be busy."""
    async with asyncio.timeout(60):
        while (session := await stack.get(session_id))["status"] not in statuses:
            assert session["epoch"] <= 1, session
            await asyncio.sleep(LOOK_SECONDS)
    return str(session["status"])


_OVER = ("ended", "failed", "canceled")
_LIVES: dict[str, Callable[[Stack, str, dict[str, SlotTalker]], Awaitable[str]]] = {
    "recorded": _record,
    "canceled": _cancel,
    "empty": _end_alone,
    "refused": _be_refused,
}
