"""A log that is restored from a dump into a new cluster goes on without a gap, and knows cursors from before."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sessions.errors import ParleyError
from store.events.organization_events import OrganizationEvents
from tests.integration.store.events.test_organization_events import ORGANIZATION, all_of, append
from tests.support.running.engine import Engine
from tests.support.services.postgres_cluster import PostgresCluster


@pytest.fixture
def second(database_folder: Path) -> Iterator[PostgresCluster]:
    """Another cluster, with nothing in it."""
    cluster = PostgresCluster(database_folder / f"restored-{os.getpid()}")
    cluster.start()
    yield cluster
    cluster.stop()
    shutil.rmtree(cluster.folder)


@pytest.mark.long
async def test_a_restored_log_goes_on_where_the_dump_ended(
    engine: Engine, database_url: str, second: PostgresCluster, tmp_path: Path
) -> None:
    """Also with what was committed and not numbered yet; what happened after the dump never comes back as its own."""
    await append(engine, 3, agent_id="before")
    old = OrganizationEvents(engine.db)
    [*_, read] = await all_of(old)
    await append(engine, 2, agent_id="in the inbox")
    dump = tmp_path / "dump.sql"
    second.run("pg_dump", "--no-owner", f"--file={dump}", f"--dbname={database_url}")
    second.run("psql", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={dump}", f"--dbname={second.url}")
    await append(engine, 4, agent_id="lost")
    [*_, lost] = await all_of(old)

    async with Engine.open(second.url) as restored:
        log = OrganizationEvents(restored.db)
        page = await log.after(ORGANIZATION, read.cursor)
        assert [(event.agent_id, event.position) for event in page.events] == [("in the inbox", 4), ("in the inbox", 5)]
        for _ in range(2):  # beyond the log's end, then at another event's place
            with pytest.raises(ParleyError) as caught:
                await log.after(ORGANIZATION, lost.cursor)
            assert caught.value.code == "cursor.unknown"
            await append(restored, 4, agent_id="new")
        [*_, newest] = await all_of(log)
        assert (newest.agent_id, newest.position) == ("new", 13)
