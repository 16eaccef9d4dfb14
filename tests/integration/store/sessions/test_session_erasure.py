"""Erasing is finished by jobs, whatever the storage does."""

import asyncio
from pathlib import Path

import pytest

from sessions.errors import ParleyError
from sessions.ids import format_id
from store.jobs.jobs import ERASE, run_jobs
from store.objects.errors import StorageError
from store.objects.objects import Objects
from store.sessions.erasure import SessionErasure
from tests.integration.store.store_services import new_session, rendered, store_services


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
        assert len(await store.execute("SELECT 1 FROM procrastinate_jobs WHERE task_name = :name", name=ERASE)) == 4
        await SessionErasure(store.db, objects).sweep(session.id)
        assert await objects.list(folder) == []
