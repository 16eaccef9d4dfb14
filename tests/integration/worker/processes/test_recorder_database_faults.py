"""A recorder process outlives whatever the database says, in its claim and in its beats."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from sessions.settings import Settings
from store.database.boot_clock import boottime_ns
from store.database.database import Database
from store.database.database_access import DatabaseAccess
from store.objects.objects import Objects
from tests.integration.worker.studio import until
from tests.support.running.engine import Engine
from worker.lease.live_run import LiveRun
from worker.processes.recorder_opening import RecorderPost, open_recorder

CODES = ("25006", "57P01", "53100", "08006", "40001", "40P01", "55P03", "58030", "XX000", "42501", "42703", "23505")

# A sequence counts what is raised, as it isn't rolled back.
FAULT = """
    CREATE TABLE fault (sqlstate text NOT NULL);
    CREATE SEQUENCE raised;
    CREATE FUNCTION raise_fault() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM nextval('raised');
            RAISE EXCEPTION 'on purpose' USING ERRCODE = (SELECT sqlstate FROM fault);
        END $$;
    INSERT INTO fault VALUES ('XX000');
    CREATE TRIGGER fault BEFORE {operation} ON runs FOR EACH ROW EXECUTE FUNCTION raise_fault()
"""


@pytest.mark.parametrize("operation", ["INSERT", "UPDATE"])
async def test_no_error_of_the_database_ends_a_recorder(database_url: str, tmp_path: Path, operation: str) -> None:
    """Every class, in the claim (it inserts a run) and in the beats (they update it): it asks again."""
    settings = Settings(
        data_dir=tmp_path / "data",
        secret_key=(SecretStr("s" * 40),),
        heartbeat_seconds=0.05,
        stalled_seconds=600,
        grace_seconds=0,
    )
    access = DatabaseAccess(SecretStr(database_url), settings.database_timeout_seconds)
    objects = Objects.open(f"file://{tmp_path / 'objects'}")
    async with Engine.open(database_url, pool_size=2) as engine:
        fence = await engine.running()
        await engine.new_session()  # to be claimed
        async with engine.db.begin() as conn:
            await conn.exec_driver_sql(FAULT.format(operation=operation))
        async with open_recorder(settings, access, objects, RecorderPost(fence.owner)) as recorder:
            if operation == "UPDATE":
                recorder._tools.beats.add(LiveRun(fence, claimed_ns=boottime_ns(), stalled_seconds=600))
            running = asyncio.create_task(recorder.run())
            for code in CODES:
                await _next_fault(engine.db, code)
                recorder.process.wake()
                raised = asyncio.create_task(_until_raised(engine.db))
                await asyncio.wait({running, raised}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
                assert not running.done(), (code, running.exception())
                assert raised.done(), code
            recorder.process.stop()
            async with asyncio.timeout(20):
                await running


async def _next_fault(db: Database, code: str) -> None:
    async with db.begin() as conn:
        await conn.execute(text("UPDATE fault SET sqlstate = :code"), {"code": code})
        await conn.execute(text("SELECT setval('raised', 1, false)"))


async def _until_raised(db: Database) -> None:
    async def raised() -> bool:
        async with db.begin() as conn:
            found: bool = (await conn.execute(text("SELECT is_called FROM raised"))).scalar_one()
        return found

    await until(raised)
