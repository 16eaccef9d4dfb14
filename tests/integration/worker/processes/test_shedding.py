"""What a recorder process that has grown too large gives away, with sessions in real rooms behind a guard."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from sessions.destinations.room_url import AllowedAddresses
from sessions.session import Session
from tests.integration.worker.studio import Studio, until
from tests.support.network.hostile_room import PONG, relayed, silent
from worker.guard.proxy import GuardProxy, GuardRules
from worker.processes.recorder_opening import OpenRecorder
from worker.vitals.process_memory import MIB

SOFT, HARD = 300 * MIB, 600 * MIB
_BURST_BYTES = 512 << 10


@asynccontextmanager
async def guard() -> AsyncIterator[int]:
    """The port of one that lets everything pass."""
    rules = GuardRules(AllowedAddresses(everything=True), _BURST_BYTES, 1024, 30, 30)
    proxy = GuardProxy(rules, upstream=lambda host, tunnel: None)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]

        async def left() -> bool:
            return proxy.open_connections == 0

        await until(left)


async def _runs(studio: Studio, session: Session) -> list[tuple[str, bool]]:
    """Owner of each run, and whether it was lost."""
    query = text("SELECT owner, lost FROM runs WHERE session_id = :id ORDER BY epoch")
    async with studio.db.begin() as conn:
        return [(str(row.owner), row.lost) for row in await conn.execute(query, {"id": session.id})]


async def _go_to(studio: Studio, recorder: OpenRecorder, *sessions: Session) -> None:
    """Wait until these have a second run, in this process."""

    async def probe() -> bool:
        runs = [await _runs(studio, session) for session in sessions]
        return all(len(one) == 2 and one[-1][0] == str(recorder.process.owner) for one in runs)

    await until(probe, seconds=40)


async def _record(studio: Studio, *sessions: Session) -> None:
    """Wait until the last runs of these have joined: a join that the test leaves behind goes on for half a minute."""
    query = text("SELECT joined_at IS NOT NULL FROM runs WHERE session_id = :id ORDER BY epoch DESC LIMIT 1")

    async def probe() -> bool:
        async with studio.db.begin() as conn:
            return all([(await conn.execute(query, {"id": session.id})).scalar_one() for session in sessions])

    await until(probe, seconds=40)


@pytest.mark.parametrize("mark", ["soft", "hard"])
async def test_what_grows_and_what_is_on_its_way_goes_and_only_what_grows_is_blamed(
    studio: Studio, room: str, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    """Past the soft mark a neighbor stays where it is; past the hard one it is handed over, and records until then."""
    size = 0
    changes = {"recorder_memory_mb": SOFT // MIB, "grace_seconds": 20 if mark == "hard" else 0, "join_seconds": 60}
    real_port = int(studio.livekit.url.rpartition(":")[2])
    async with guard() as port, relayed("127.0.0.1", real_port) as chatty, silent("127.0.0.1") as quiet:
        chatty.chatter = PONG * (_BURST_BYTES // 2 // len(PONG))
        owner = ""
        async with studio.recorder(memory=lambda: size, guard_port=port, **changes) as old:
            owner = str(old.process.owner)
            for name in ("HTTP_PROXY", "HTTPS_PROXY"):
                monkeypatch.setenv(name, f"http://{owner}:-@127.0.0.1:{port}")
            neighbor = await studio.create(room, sine=True)
            grows = await studio.create(f"{room}-grows", url=chatty.url, sine=True)
            for session in (neighbor, grows):
                await studio.reaches(session, "running")
            joins = await studio.create(f"{room}-joins", url=quiet.url)
            await studio.reaches(joins, "starting")
            async with studio.recorder() as successor:
                if mark == "soft":
                    size = SOFT + 1
                    await _go_to(studio, successor, grows, joins)
                    assert await _runs(studio, neighbor) == [(owner, False)]
                else:
                    size = HARD + 1
                    old.stop()
                    await _go_to(studio, successor, grows, joins, neighbor)
                    assert (await _runs(studio, neighbor))[0] == (owner, False)
                assert (await _runs(studio, grows))[0] == (owner, True)
                assert (await _runs(studio, joins))[0] == (owner, False)
                await _record(studio, neighbor, grows)


async def test_where_nobody_knows_what_grows_all_are_blamed_and_record_until_they_are_taken(
    studio: Studio, room: str
) -> None:
    """So that it is found as soon as it makes the next process grow."""
    size = 0
    changes = {"recorder_memory_mb": SOFT // MIB, "grace_seconds": 20}
    async with studio.recorder(memory=lambda: size, **changes) as old:
        sessions = [await studio.create(f"{room}-{number}", sine=True) for number in range(2)]
        for session in sessions:
            await studio.reaches(session, "running")
        size = HARD + 1
        old.stop()
        await asyncio.sleep(0.5)
        assert old.process.figures.sessions_running == 2
        async with studio.recorder() as successor:
            await _go_to(studio, successor, *sessions)
            assert {(await _runs(studio, session))[0][1] for session in sessions} == {True}
            await _record(studio, *sessions)
