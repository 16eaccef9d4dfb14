"""Whether a storage is ours: the database knows which one, on a local folder and on S3."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from sessions.errors import DatabaseUnavailableError
from store.database.database import Database
from store.database.server.identity import database_identity
from store.installation.storage_identity import StorageIdentity, StorageUnrecognized
from store.objects.errors import StorageError
from store.objects.objects import Objects
from tests.support.running.engine import PRODUCT, Engine


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    """Everything fresh."""
    async with Engine.open(database_url) as opened:
        yield opened


@pytest.fixture
def empty(tmp_path: Path) -> Objects:
    """What is in the place of a storage whose mount is gone."""
    return Objects.open((tmp_path / "empty").as_uri())


async def commit_a_recording(engine: Engine) -> None:
    """A session that has left one."""
    fence = await engine.running()
    await engine.sql("UPDATE sessions SET status = 'ending', outcome = 'ended', ending_at = now()")
    await engine.runs.seal(fence)
    await engine.frozen(fence.session_id)
    assert await engine.freezes.commit(fence.session_id, fence.epoch, PRODUCT)


async def test_the_first_storage_of_a_new_database_is_ours_and_no_other(
    engine: Engine, objects: Objects, empty: Objects
) -> None:
    """Whoever asks first makes it so; nothing is left in a storage that is not ours."""
    await StorageIdentity(engine.db, objects).confirm()
    await StorageIdentity(engine.db, objects).confirm()
    assert len(await objects.list("identity")) == 1
    with pytest.raises(StorageUnrecognized) as caught:
        await StorageIdentity(engine.db, empty).confirm()
    assert caught.value.code == "storage.unrecognized"
    assert await empty.list("") == []


async def test_processes_that_start_at_once_agree(engine: Engine, objects: Objects) -> None:
    """One of them writes the id, and what the others wrote is gone."""
    await asyncio.gather(*(StorageIdentity(engine.db, objects).confirm() for _ in range(8)))
    assert len(await objects.list("identity")) == 1
    await StorageIdentity(engine.db, objects).confirm()


async def test_a_storage_that_is_replaced_is_noticed_by_a_process_that_knew_it(
    engine: Engine, objects: Objects
) -> None:
    """The object is gone or says something else; when it is back, all is well."""
    identity = StorageIdentity(engine.db, objects)
    await identity.confirm()
    [(key, _)] = await objects.list("identity")
    content = await objects.get(key)
    for other in (None, b"another\n"):
        if other is None:
            await objects.delete(key)
        else:
            await objects.put_bytes(key, other)
        with pytest.raises(StorageUnrecognized):
            await identity.confirm()
    await objects.put_bytes(key, content)
    await identity.confirm()


async def test_a_storage_is_adopted_on_purpose(engine: Engine, objects: Objects, empty: Objects) -> None:
    """The new one is ours from then on, the old one is not; adopting it again changes nothing."""
    await StorageIdentity(engine.db, empty).confirm()
    moved = StorageIdentity(engine.db, objects)
    with pytest.raises(StorageUnrecognized):
        await moved.confirm()
    assert await moved.adopt()
    await moved.confirm()
    assert not await StorageIdentity(engine.db, objects).adopt()
    with pytest.raises(StorageUnrecognized):
        await StorageIdentity(engine.db, empty).confirm()


async def test_a_copy_of_our_storage_is_ours(engine: Engine, objects: Objects, empty: Objects) -> None:
    """Whoever copies everything to another place need not adopt it."""
    await StorageIdentity(engine.db, objects).confirm()
    for key, _ in await objects.list(""):
        await empty.put_bytes(key, await objects.get(key))
    await StorageIdentity(engine.db, empty).confirm()


async def test_an_upgraded_installation_keeps_the_storage_that_holds_its_probe(
    engine: Engine, objects: Objects, empty: Objects
) -> None:
    """It has recordings and knows no id: an empty storage is not taken for theirs."""
    await commit_a_recording(engine)
    with pytest.raises(StorageUnrecognized):
        await StorageIdentity(engine.db, empty).confirm()
    assert await engine.sql("SELECT FROM object_storage") == []
    await objects.put_bytes(f"probes/{await database_identity(engine.db)}", b"parley\n")
    await StorageIdentity(engine.db, objects).confirm()
    with pytest.raises(StorageUnrecognized):
        await StorageIdentity(engine.db, empty).confirm()


async def test_a_process_that_knows_its_storage_needs_no_database(engine: Engine, objects: Objects) -> None:
    """Uploads go on while the database is away; a process that never asked cannot know."""
    identity = StorageIdentity(engine.db, objects)
    await identity.confirm()
    async with Database.open(
        SecretStr("postgresql://parley@127.0.0.1:1/parley"), timeout_seconds=1, application_name="test"
    ) as away:
        identity._db = away
        identity._known_until = 0.0
        await identity.confirm()
        with pytest.raises(DatabaseUnavailableError):
            await StorageIdentity(away, objects).confirm()


async def test_a_folder_that_is_gone_is_away(engine: Engine, local: Objects) -> None:
    """It is not another storage, there is none."""
    await StorageIdentity(engine.db, local).confirm()
    folder = local.local_path("x")
    assert folder is not None
    folder.parent.rename(folder.parent.with_name("elsewhere"))
    with pytest.raises(StorageError) as caught:
        await StorageIdentity(engine.db, local).confirm()
    assert caught.value.code == "storage.unavailable"
