"""The database's writer is lost, a standby takes its place, and whoever records goes on."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGQUIT
from typing import Any

import pytest

from parley.servers.free_ports import free_ports
from parley.servers.livekit_server import LiveKitServer
from store.database.server.schema import migrate
from tests.support.rules.holes import holes
from tests.support.rules.never_silently_wrong import assert_never_silently_wrong
from tests.support.running.stack import Process, Stack, recorders
from tests.support.services.moving_endpoint import MovingEndpoint
from tests.support.services.postgres_cluster import PostgresCluster
from tests.support.talkers.beeps import mint_token
from tests.support.talkers.slots import SlotTalker, SlotVoice, Truth

RECORDINGS = 4  # per failover
AWAY_SECONDS = 8.0  # without a writer: longer than it takes until a beat is missed (3 s)
FIRST_ANSWER_SECONDS = 5.0  # after the promotion
AFTER_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Pair:
    """A writer and its standby, both listening on loopback."""

    writer: PostgresCluster
    standby: PostgresCluster
    ports: tuple[int, int]


@pytest.fixture
def pair(database_folder: Path) -> Iterator[Pair]:
    """Nothing is committed that the standby does not have."""
    ports = free_ports(2)
    writer = PostgresCluster(database_folder / f"writer-{os.getpid()}", port=ports[0])
    writer.start()
    migrate(writer.url)
    standby = PostgresCluster(database_folder / f"standby-{os.getpid()}", port=ports[1], writer=writer)
    standby.start()
    writer.wait_for_standby()
    yield Pair(writer, standby, (ports[0], ports[1]))
    for cluster in (writer, standby):
        cluster.stop(SIGQUIT)
        shutil.rmtree(cluster.folder)


@asynccontextmanager
async def _name(pair: Pair, moves: bool) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """The database's URL, and what to call when the standby is the writer."""
    if not moves:
        hosts = f"host=127.0.0.1,127.0.0.1&port={pair.ports[0]},{pair.ports[1]}"
        yield f"postgresql://parley@/parley?{hosts}&target_session_attrs=read-write", lambda: None
        return
    async with MovingEndpoint(pair.ports[0]) as endpoint:
        yield f"postgresql://parley@127.0.0.1:{endpoint.port}/parley", lambda: endpoint.move(pair.ports[1])


@pytest.mark.long
@pytest.mark.parametrize(
    ("lose", "moves"),
    [
        pytest.param(PostgresCluster.demote, True, id="demoted-name-moves"),
        pytest.param(lambda writer: writer.stop(SIGQUIT), True, id="killed-name-moves"),
        pytest.param(PostgresCluster.demote, False, id="demoted-two-hosts"),
        pytest.param(lambda writer: writer.stop(SIGQUIT), False, id="killed-two-hosts"),
    ],
)
async def test_a_failover_costs_no_recording_a_word(
    pair: Pair,
    livekit: LiveKitServer,
    room: str,
    tmp_path: Path,
    lose: Callable[[PostgresCluster], None],
    moves: bool,
) -> None:
    """Every recorder goes on with its sessions, and the first write after the promotion succeeds within 5 s."""
    rooms = [f"{room}-{number}" for number in range(RECORDINGS)]
    async with AsyncExitStack() as held:
        url, move = await held.enter_async_context(_name(pair, moves))
        stack = await held.enter_async_context(Stack(tmp_path, url, livekit))
        await stack.start_api()
        workers = [await stack.start_worker(name, PARLEY_SPEECH_ENGINE="none") for name in ("first", "second")]
        talkers = [await held.enter_async_context(_speaker(livekit, name)) for name in rooms]
        sessions = [await stack.create(name) for name in rooms]
        for session in sessions:
            await stack.reach(session["id"], "running")
        before = _recorder_ids(workers)
        await asyncio.sleep(3)
        await asyncio.to_thread(lose, pair.writer)
        await asyncio.sleep(1)
        assert await _create_later(stack, room) == 503
        await asyncio.sleep(AWAY_SECONDS - 1)
        await asyncio.to_thread(pair.standby.promote)
        move()
        took = await _first_write(stack, room)
        await asyncio.sleep(AFTER_SECONDS)
        after = _recorder_ids(workers)
        ended = [await stack.end(session["id"]) for session in sessions]
        truths: list[Truth] = []
        for session, talker in zip(ended, talkers, strict=True):
            found = await assert_never_silently_wrong(stack, session["id"], [talker], tmp_path)
            truths += found.values()
        gaps = [await _gaps(stack, session["id"]) for session in ended]
    print(f"first write {took:.1f} s after the promotion; {[(truth.heard, truth.lost) for truth in truths]}")  # noqa: T201

    assert took <= FIRST_ANSWER_SECONDS
    assert after == before, "a recorder died"
    assert [(one["status"], one["epoch"]) for one in ended] == [("ended", 1)] * RECORDINGS
    assert [truth.lost for truth in truths] == [0] * RECORDINGS
    assert gaps == [[]] * RECORDINGS
    assert all(truth.heard > 100 for truth in truths)


def _speaker(livekit: LiveKitServer, room: str) -> SlotTalker:
    return SlotTalker(livekit.url, mint_token(livekit.api_key, livekit.api_secret, room, "ann"), SlotVoice(0))


def _recorder_ids(workers: list[Process]) -> set[int]:
    return {recorder.pid for worker in workers for recorder in recorders(worker.popen.pid)}


async def _create_later(stack: Stack, room: str) -> int:
    """The answer to a session that is created, and starts in an hour."""
    transport = {
        "type": "livekit",
        "url": stack.livekit.url,
        "room_name": f"{room}-later",
        "worker_token": stack.token(f"{room}-later", ttl=7200),
    }
    start_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    status, _ = await stack.call("POST", "/v1/sessions", {"transport": transport, "start_at": start_at})
    return status


async def _first_write(stack: Stack, room: str) -> float:
    """Seconds until a session can be created."""
    began = time.monotonic()
    while (status := await _create_later(stack, room)) != 201:
        assert status == 503
        assert time.monotonic() - began < 4 * FIRST_ANSWER_SECONDS
        await asyncio.sleep(0.05)
    return time.monotonic() - began


async def _gaps(stack: Stack, session_id: str) -> list[dict[str, Any]]:
    status, recording = await stack.call("GET", f"/v1/sessions/{session_id}/recording")
    assert (status, recording["state"]) == (200, "available")
    return holes(recording["gaps"])
