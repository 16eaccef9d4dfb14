"""What a worker says of its storage."""

from pathlib import Path

import aiohttp
from prometheus_client import CollectorRegistry

from store.installation.storage_identity import StorageIdentity
from store.objects.objects import Objects
from tests.support.running.engine import Engine
from worker.host.monitoring.health import serve_health


async def test_a_worker_on_another_storage_than_the_database_knows_is_not_ready(
    database_url: str, tmp_path: Path
) -> None:
    """Two hosts that have a local folder each do not share one; the code says so."""
    async with Engine.open(database_url) as engine, aiohttp.ClientSession() as http:
        answers = []
        for folder in ("first", "second"):
            identity = StorageIdentity(engine.db, Objects.open((tmp_path / folder).as_uri()))
            checks = {"storage": identity.confirm}
            async with (
                serve_health("127.0.0.1", 0, checks=checks, metrics=CollectorRegistry()) as url,
                http.get(f"{url}/readyz") as answer,
            ):
                answers.append((answer.status, (await answer.json())["checks"]["storage"]))
    assert answers == [(200, "ok"), (503, "storage.unrecognized")]


async def test_a_worker_says_why_its_storage_is_away(tmp_path: Path) -> None:
    """In a sentence beside the code."""
    storage = Objects.open((tmp_path / "gone").as_uri())
    (tmp_path / "gone").rmdir()
    async with (
        aiohttp.ClientSession() as http,
        serve_health("127.0.0.1", 0, checks={"storage": storage.ping}, metrics=CollectorRegistry()) as url,
        http.get(f"{url}/readyz") as answer,
    ):
        said = await answer.json()
    assert (answer.status, said["checks"]) == (503, {"storage": "storage.unavailable"})
    assert said["troubles"] == ["storage: the folder does not exist"]
