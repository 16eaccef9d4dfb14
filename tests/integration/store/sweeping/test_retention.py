"""Retention: what has been over for some days is erased, and nothing else ever is."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr

from sessions.ids import format_id
from sessions.lifecycle.lifecycle import TERMINAL, Status
from sessions.settings import Settings
from store.database.database_access import DatabaseAccess
from store.jobs.deferring import RETENTION
from store.objects.errors import StorageError
from store.objects.objects import Objects
from store.outputs.transcripts import Transcripts
from store.sessions.erasure import SessionErasure
from store.sweeping.retention import OVER, Retention
from tests.integration.store.store_services import StoreServices, new_session, rendered, store_services
from worker.processes.job_process import run_job_process

_DAYS = 7


def _retention(store: StoreServices, objects: Objects, *, round_seconds: float = 60) -> Retention:
    return Retention(store.db, objects, SessionErasure(store.db, objects), _DAYS, round_seconds=round_seconds)


async def _session(
    store: StoreServices, objects: Objects, *, status: str = "ended", days_ago: float = 8, more: str = ""
) -> UUID:
    """A session with a file and a message, created long ago and over since then, if it is over."""
    session = await store.sessions.creation.create(store.organization_id, new_session(), render=rendered)
    await store.execute(
        f"""
        UPDATE sessions SET status = :status, outcome = 'ended', created_at = now() - interval '99 days',
            started_at = now() - interval '99 days', ending_at = now() - interval '99 days',
            finished_at = CASE WHEN :over THEN now() - make_interval(secs => :days * 86400) END {more} WHERE id = :id
        """,
        id=session.id,
        status=status,
        over=Status(status) in TERMINAL,
        days=days_ago,
    )
    await store.execute(
        """
        INSERT INTO log_entries (session_id, seq, id, kind, role, text, source, created_at)
        VALUES (:id, 1, gen_random_uuid(), 'message', 'user', 'hello', 'lk.chat', now())
        """,
        id=session.id,
    )
    await objects.put_bytes(f"{_folder(session.id)}/conversation.wav", b"RIFF")
    return session.id


def _folder(session_id: UUID) -> str:
    return f"sessions/{format_id('sess', session_id)}"


async def _left(store: StoreServices) -> set[UUID]:
    return {row.id for row in await store.execute("SELECT id FROM sessions")}


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    """A folder of the test's own."""
    return Objects.open(f"file://{tmp_path}/objects")


async def test_what_has_been_over_for_longer_is_erased(database_url: str, objects: Objects) -> None:
    """However it ended, archived or not, voice or text; younger ones and whatever isn't over stay with their files."""
    async with store_services(database_url) as store:
        over = [await _session(store, objects, status=status) for status in sorted(TERMINAL)]
        over.append(await _session(store, objects, more=", archived_at = now()"))
        over.append(await _session(store, objects, more=", kind = 'text'"))
        over.append(await _session(store, objects, days_ago=_DAYS + 0.001))
        kept = [await _session(store, objects, status=status) for status in sorted(set(Status) - TERMINAL)]
        kept.append(await _session(store, objects, status="running", more=", kind = 'text'"))
        kept.append(await _session(store, objects, days_ago=_DAYS - 0.001))
        assert await _retention(store, objects).expire() == len(over)
        assert await _left(store) == set(kept)
        assert [await objects.list(_folder(session_id)) for session_id in over] == [[]] * len(over)
        assert all([await objects.list(_folder(session_id)) for session_id in kept])
        assert await store.execute("SELECT count(*) FROM log_entries") == [(len(kept),)]
        assert await _retention(store, objects).expire() == 0


async def test_a_transcript_under_way_finds_its_session_gone(database_url: str, objects: Objects) -> None:
    """The promise is the day: what still waits or works finds nothing, and what it writes late is looked for."""
    async with store_services(database_url) as store:
        session_id = await _session(store, objects)
        await store.execute(
            "INSERT INTO transcripts (session_id, state, created_at) VALUES (:id, 'pending', now())", id=session_id
        )
        await store.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status) VALUES ('speech',"
            " 'transcripts.transcribe', jsonb_build_object('session_id', CAST(:id AS text)), 'todo')",
            id=str(session_id),
        )
        assert await _retention(store, objects).expire() == 1
        assert await Transcripts(store.db).begin(session_id, 86400) is None
        jobs = await store.execute("SELECT task_name, scheduled_at > now(), priority < 0 FROM procrastinate_jobs")
        assert jobs == [("sessions.erase", True, True)]


async def test_a_round_ends_and_the_next_one_goes_on(database_url: str, objects: Objects) -> None:
    """One session at least, the longest over first; every one once."""
    async with store_services(database_url) as store:
        ids = [await _session(store, objects, days_ago=days) for days in (20, 9, 30)]
        short = _retention(store, objects, round_seconds=0)
        left = []
        while await short.expire():
            left.append(await _left(store))
        assert left == [{ids[0], ids[1]}, {ids[1]}, set()]


async def test_many_at_once_erase_each_session_once(database_url: str, objects: Objects) -> None:
    """Workers on several hosts."""
    async with store_services(database_url) as store:
        ids = {await _session(store, objects) for _ in range(12)}
        async with asyncio.TaskGroup() as group:
            rounds = [group.create_task(_retention(store, objects).expire()) for _ in range(3)]
        assert sum(task.result() for task in rounds) == len(ids)
        assert await _left(store) == set()


async def test_one_that_is_held_holds_up_no_other(database_url: str, objects: Objects) -> None:
    """It is passed over, and erased by a later round."""
    async with store_services(database_url) as store:
        held, _ = [await _session(store, objects, days_ago=days) for days in (30, 20)]
        async with store.db.begin() as conn:
            await conn.exec_driver_sql(f"SELECT FROM sessions WHERE id = '{held}' FOR UPDATE")
            assert await _retention(store, objects).expire() == 1
            assert await _left(store) == {held}
        assert await _retention(store, objects).expire() == 1


async def test_while_the_storage_is_away_nothing_is_erased(
    database_url: str, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows stay as long as their objects; where it goes away in between, the objects are tried again."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    away = Objects.open("s3://bucket/prefix", connect_seconds=0.2, request_seconds=2)
    async with store_services(database_url) as store:
        first, second = [await _session(store, objects) for _ in range(2)]
        assert await _retention(store, away).expire() == 0
        assert await _left(store) == {first, second}
        with pytest.raises(StorageError):
            await SessionErasure(store.db, away).expire(first, _DAYS)
        assert await _left(store) == {second}
        for stamp, table, minutes in ("scheduled_at", "procrastinate_jobs", 120), ("next_at", "erasures", 1):
            due = await store.execute(f"SELECT round(extract(epoch FROM {stamp} - now()) / 60) FROM {table}")
            assert due == [(minutes,)], table
        await SessionErasure(store.db, objects).sweep(first)
        assert await _retention(store, objects).expire() == 1
        assert [await objects.list(_folder(session_id)) for session_id in (first, second)] == [[], []]


async def test_the_search_reads_what_is_over_and_no_more(database_url: str, objects: Objects) -> None:
    """A round that finds nothing costs the same with many sessions that are kept."""
    async with store_services(database_url) as store:
        await store.execute(
            """
            INSERT INTO sessions (id, organization_id, kind, status, quality, multiplier, max_duration_seconds, outcome,
                ending_at, idle_timeout_seconds, layout, on_pause, agent_id, created_at, updated_at, finished_at)
            SELECT gen_random_uuid(), :org, 'voice', CASE WHEN i % 2 = 0 THEN 'ended' ELSE 'paused' END, 'standard', 1,
                60, 'ended', now(), 30, 'mono', 'silence', 'agent', now() - interval '99 days', now(),
                CASE WHEN i % 2 = 0 THEN now() - i * interval '10 seconds' END
            FROM generate_series(1, 20000) AS i
            """,
            org=store.organization_id,
        )
        await store.execute("ANALYZE sessions")
        values = {"finished_at": "-infinity", "id": UUID(int=0), "days": _DAYS}
        [row] = await store.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {OVER}", **values)
        plan = row[0][0]["Plan"]
        assert plan["Actual Rows"] == 0
        assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 20


async def test_the_job_process_erases_by_its_setting(database_url: str, tmp_path: Path, objects: Objects) -> None:
    """The real process for short jobs, as it runs the job that its schedule defers."""
    settings = Settings(
        secret_key=(SecretStr("s" * 32),),
        data_dir=tmp_path,
        retention_days=_DAYS,
    )
    access = DatabaseAccess(SecretStr(database_url), settings.database_timeout_seconds)
    stopping = asyncio.Event()
    async with store_services(database_url) as store, asyncio.TaskGroup() as group, asyncio.timeout(30):
        session_id = await _session(store, objects)
        await store.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)"
            " VALUES ('short', :name, '{\"timestamp\": 0}', 'todo')",
            name=RETENTION,
        )
        running = run_job_process(settings, access, objects, stopping)
        group.create_task(running)
        while await _left(store) or await objects.list(_folder(session_id)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        stopping.set()
