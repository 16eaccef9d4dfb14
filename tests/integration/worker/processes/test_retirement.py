"""A recorder process that has served enough, with sessions in real rooms."""

import asyncio
from typing import Any

from sessions.session import Session
from tests.integration.worker.studio import Studio, until
from worker.processes.recorder_opening import OpenRecorder
from worker.vitals.process_memory import MIB


async def _owners(studio: Studio) -> list[tuple[int, str]]:
    """Epoch and owner of each run, in the order in which they were claimed."""
    from sqlalchemy import text

    async with studio.db.begin() as conn:
        rows = await conn.execute(text("SELECT epoch, owner FROM runs ORDER BY claimed_at, session_id"))
        return [(row.epoch, str(row.owner)) for row in rows]


async def _end(studio: Studio, session: Session) -> None:
    await studio.sessions.commands.end(studio.organization_id, session.id)


async def test_a_recorder_that_has_served_its_sessions_ends_with_them_and_loses_none(studio: Studio, room: str) -> None:
    """Of three it takes two, records both to their end, and ends; the third is its successor's."""
    served = [await studio.create(f"{room}-{number}", sine=True) for number in range(2)]
    async with studio.recorder(recorder_sessions=2) as old:
        for session in served:
            await studio.reaches(session, "running")
        later = await studio.create(f"{room}-later", sine=True)
        await asyncio.sleep(1.5)
        assert (await studio.get(later)).status == "queued", "a recorder polls every second"
        assert old.process.figures.slots_free == 0
        async with studio.recorder(recorder_sessions=2) as successor:
            await studio.reaches(later, "running")
            assert {owner for _, owner in await _owners(studio)} == {str(r.process.owner) for r in (old, successor)}
            await _end(studio, served[0])
            await studio.sealed(served[0])
            assert (await studio.get(served[1])).status == "running"
            await _end(studio, served[1])
            await until(lambda: _has_ended(studio, old))
            await studio.sealed(served[1])
            assert [epoch for epoch, _ in await _owners(studio)] == [1, 1, 1], "no session changed its process"
            assert all([await studio.segments(session) for session in served])


async def test_a_recorder_above_its_soft_mark_hands_its_last_sessions_over(studio: Studio, room: str) -> None:
    """In the end: until then they go on where they are."""
    size = 0
    session = await studio.create(room, sine=True)
    changes: dict[str, Any] = {"recorder_memory_mb": 300, "retire_seconds": 1.5, "grace_seconds": 20}
    async with studio.recorder(memory=lambda: size, **changes) as old:
        await studio.reaches(session, "running")
        size = 300 * MIB + 1
        await until(lambda: _takes_nothing(old), seconds=3)
        async with studio.recorder() as successor:
            await asyncio.sleep(0.5)
            assert [owner for _, owner in await _owners(studio)] == [str(old.process.owner)]
            await until(lambda: _has_ended(studio, old))
            assert [owner for _, owner in await _owners(studio)] == [
                str(recorder.process.owner) for recorder in (old, successor)
            ]
            assert (await studio.get(session)).status == "running"


async def _has_ended(studio: Studio, recorder: OpenRecorder) -> bool:
    return studio.running[recorder].done()


async def _takes_nothing(recorder: OpenRecorder) -> bool:
    return recorder.process.figures.slots_free == 0
