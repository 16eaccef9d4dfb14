"""Erasing is finished by jobs, whatever the storage does."""

import asyncio
import io
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr

from sessions.errors import ParleyError
from sessions.ids import format_id
from sessions.settings import Settings
from store.jobs.deferring import ERASE
from store.jobs.jobs import run_jobs
from store.objects.errors import StorageError
from store.objects.objects import Objects
from store.sessions.erasure import SessionErasure
from store.sessions.unfinished_erasures import failed_erasures
from store.sweeping.sweeper import sweep
from tests.integration.store.store_services import new_session, rendered, store_services
from tests.support.running.log_lines import logged
from tests.support.services.lacking_storage import lacking_storage

SETTINGS = Settings(database_url=SecretStr("postgresql://unused"), secret_key=(SecretStr("s" * 40),))


async def test_the_jobs_remove_what_an_erased_session_left(database_url: str, tmp_path: Path) -> None:
    """A real job loop: an object that was written after the deletion is gone soon, and so is the job."""
    objects = Objects.open(f"file://{tmp_path}/objects")
    async with store_services(database_url) as store:
        session = await store.sessions.creation.create(store.organization_id, new_session(), render=rendered)
        erasure = SessionErasure(store.db, objects)
        await erasure.erase(store.organization_id, session.id)
        folder = f"sessions/{format_id('sess', session.id)}"
        await objects.put_bytes(f"{folder}/conversation.json", b"{}")
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as group, asyncio.timeout(30):
            group.create_task(run_jobs(database_url, {ERASE: erasure.sweep}, stopping))
            while await objects.list(folder) or len(await store.execute("SELECT 1 FROM procrastinate_jobs")) > 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            stopping.set()
        waiting = await store.execute("SELECT scheduled_at > now() FROM procrastinate_jobs")
        assert waiting == [(True,), (True,)]


async def test_a_storage_that_is_away_delays_the_objects_only(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows go at once; the sweep says so and is deferred again, until the storage is back."""
    objects = Objects.open(f"file://{tmp_path}/objects")
    async with store_services(database_url) as store:
        session = await store.sessions.creation.create(store.organization_id, new_session(), render=rendered)
        folder = f"sessions/{format_id('sess', session.id)}"
        await objects.put_bytes(f"{folder}/conversation.wav", b"RIFF")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "x")
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        away = Objects.open("s3://bucket/prefix", connect_seconds=0.2, request_seconds=2)
        erasure = SessionErasure(store.db, away)
        await erasure.erase(store.organization_id, session.id)
        with pytest.raises(ParleyError, match="not_found"):
            await store.sessions.queries.get(store.organization_id, session.id)
        with pytest.raises(StorageError):
            await erasure.sweep(session.id)
        [row] = await store.execute("SELECT failures, cause, next_at > now() + interval '100 s' FROM erasures")
        assert tuple(row) == (2, "nobody listens at the endpoint", True)
        await SessionErasure(store.db, objects).sweep(session.id)
        assert await objects.list(folder) == []


async def test_an_erasure_that_the_storage_refuses_is_a_fact_until_it_is_done(
    database_url: str, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    """It is counted, said and tried again by the sweeper and the job loop, without anybody's help, until it is done."""
    with lacking_storage() as storage:
        for name, value in storage.variables.items():
            monkeypatch.setenv(name, value)
        objects = Objects.open(storage.url)
        async with store_services(database_url) as store:
            erasure = SessionErasure(store.db, objects)
            session = await store.sessions.creation.create(store.organization_id, new_session(), render=rendered)
            key = f"sessions/{format_id('sess', session.id)}/conversation.wav"
            await objects.put_bytes(key, b"RIFF")
            storage.lacks = {"bulk_delete", "delete"}
            await erasure.erase(store.organization_id, session.id)
            assert (await failed_erasures(store.db)).sessions == 1
            [line] = logged(log, "erasure.failed")
            assert (line["level"], line["failures"]) == ("error", 1)
            assert "denies" in line["cause"]
            # Whatever becomes of the jobs that the erasure left, as a job whose process dies is not run again.
            await store.execute("DELETE FROM procrastinate_jobs")
            assert (await sweep(store.db, SETTINGS)).erasures_deferred == 0, "it is not due yet"
            await store.execute("UPDATE erasures SET next_at = now()")
            assert (await sweep(store.db, SETTINGS)).erasures_deferred == 1
            storage.lacks = {"bulk_delete"}
            stopping = asyncio.Event()
            async with asyncio.TaskGroup() as group, asyncio.timeout(30):
                group.create_task(run_jobs(database_url, {ERASE: erasure.sweep}, stopping))
                while (await failed_erasures(store.db)).sessions:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                stopping.set()
            assert await objects.list("sessions") == []
            assert await store.execute("SELECT FROM erasures") == []


async def test_an_erasure_whose_process_died_is_begun_again(database_url: str, tmp_path: Path) -> None:
    """Between the rows and the objects: the row that the transaction left is found when it is due."""
    objects = Objects.open(f"file://{tmp_path}/objects")
    async with store_services(database_url) as store:
        session = await store.sessions.creation.create(store.organization_id, new_session(), render=rendered)

        class KilledError(BaseException):
            pass

        class Dying(SessionErasure):
            async def _remove_objects(self, session_id: UUID) -> None:
                raise KilledError

        with pytest.raises(KilledError):
            await Dying(store.db, objects).erase(store.organization_id, session.id)
        assert [tuple(row) for row in await store.execute("SELECT session_id, failures FROM erasures")] == [
            (session.id, 0)
        ]
        assert (await failed_erasures(store.db)).sessions == 0, "nothing was refused"
        await SessionErasure(store.db, objects).sweep(session.id)
        assert await store.execute("SELECT FROM erasures") == []
