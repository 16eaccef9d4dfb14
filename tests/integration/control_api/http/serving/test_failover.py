"""The writer is demoted but lives on, and the name leads to another server: no connection to the old one is kept."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from store.database.server.schema import migrate
from tests.support.running.api_server import api_server, create_body
from tests.support.services.postgres_cluster import PostgresCluster

AT_ONCE_SECONDS = 5.0
CLIENTS = 8  # as many requests as the pool has connections, and more


@pytest.fixture
def writers(database_folder: Path) -> Iterator[tuple[PostgresCluster, PostgresCluster]]:
    """Two servers with the newest schema."""
    both = tuple(PostgresCluster(database_folder / f"{name}-{os.getpid()}") for name in ("old", "new"))
    for cluster in both:
        cluster.start()
        migrate(cluster.url)
    yield both[0], both[1]
    for cluster in both:
        cluster.stop()
        shutil.rmtree(cluster.folder)


async def test_after_a_failover_the_new_writer_is_used_at_once(
    writers: tuple[PostgresCluster, PostgresCluster], database_folder: Path, tmp_path: Path
) -> None:
    """503 while there is no writer, whatever connection is used; then the first write succeeds within 5 s."""
    old, new = writers
    name = database_folder / f"name-{os.getpid()}"
    name.symlink_to(old.folder)
    url = f"postgresql://parley@/parley?host={name}"
    async with api_server(new.url, tmp_path / "seed"):  # the key, as replication would have brought it
        pass
    async with api_server(url, tmp_path) as api:
        await api.create("before")
        with psycopg.connect(old.url, autocommit=True) as conn:
            conn.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            conn.execute("SELECT pg_reload_conf()")
        demoted = []
        for number in range(CLIENTS):
            demoted.append((await api.call("POST", "/v1/sessions", create_body(f"demoted-{number}"))).status)
        (new_name := name.with_name(f"{name.name}-new")).symlink_to(new.folder)
        new_name.replace(name)
        began, statuses = time.monotonic(), []
        while 201 not in statuses and time.monotonic() - began < AT_ONCE_SECONDS:
            statuses.append((await api.call("POST", "/v1/sessions", create_body("after"))).status)
        took = time.monotonic() - began
        for number in range(CLIENTS):
            statuses.append((await api.call("POST", "/v1/sessions", create_body(f"after-{number}"))).status)
    name.unlink()

    assert set(demoted[1:]) == {503}
    assert took < AT_ONCE_SECONDS
    assert set(statuses) <= {201, 503}
    assert statuses[-CLIENTS:] == [201] * CLIENTS
