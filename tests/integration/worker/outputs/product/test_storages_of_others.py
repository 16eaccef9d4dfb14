"""A recording's whole life on storages of others: stored, built, linked to, erased."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from uuid import UUID

import pytest

from store.objects.objects import Objects
from store.objects.probe import probe_storage
from store.sessions.erasure import SessionErasure
from tests.support.running.engine import Engine
from tests.support.samples.loss import Loss
from tests.support.services.lacking_storage import lacking_storage
from tests.support.services.s3_servers import ACCESS_KEY, MINIO, SECRET_KEY, VERSITYGW, S3Server, s3_server
from tools.compatibility import note

ABILITIES = {"create_only": "create-only puts", "bulk_delete": "DeleteObjects"}
Opened = Callable[[Path], AbstractContextManager[tuple[str, dict[str, str]]]]


@contextmanager
def _lacking(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    with lacking_storage("create_only", "bulk_delete_400") as storage:
        yield storage.url, storage.variables


@contextmanager
def _real(server: S3Server, folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    (folder / "bucket").mkdir(parents=True)
    with s3_server(server, folder) as endpoint:
        variables = {"ENDPOINT_URL": endpoint, "ACCESS_KEY_ID": ACCESS_KEY, "SECRET_ACCESS_KEY": SECRET_KEY}
        yield "s3://bucket/parley", {f"AWS_{name}": value for name, value in variables.items()}


@pytest.mark.parametrize(
    ("opened", "lacks", "ran"),
    [
        pytest.param(
            _lacking,
            {"create_only", "bulk_delete"},
            ("moto, behind a gate that lacks what Google and Alibaba lack,", version("moto")),
            id="as Google and Alibaba",
        ),
        pytest.param(
            partial(_real, VERSITYGW),
            set(),
            ("versitygw", VERSITYGW.version),
            id="versitygw",
            marks=pytest.mark.long,
        ),
        pytest.param(partial(_real, MINIO), set(), ("MinIO", MINIO.version), id="MinIO", marks=pytest.mark.long),
    ],
)
async def test_a_recording_lives_and_goes_on_a_storage_of_others(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    opened: Opened,
    lacks: set[str],
    ran: tuple[str, str],
) -> None:
    """Whatever the storage lacks, nothing of the recording is missing, and nothing of it is left."""
    with opened(tmp_path / "storage") as (url, variables):
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        public = variables["AWS_ENDPOINT_URL"].replace("127.0.0.1", "localhost")
        objects = Objects.open(url, public_endpoint=public)
        async with Engine.open(database_url) as engine:
            loss = Loss(engine, objects, tmp_path / "data")
            fence = await engine.running()
            await loss.identity.confirm()
            assert {lack.ability for lack in await probe_storage(objects)} == lacks
            stored, _ = await loss.upload(fence, range(1, 4))
            await engine.beat(fence)
            await loss.end_after(fence, 3.0)
            await engine.beat(fence)
            await engine.runs.seal(fence, stored)
            assert await loss.recording(fence) == ("available", None, [])

            [row] = await engine.sql("SELECT object_key FROM recordings WHERE session_id = :id", id=fence.session_id)
            link = await objects.signed_url(row.object_key, 60)
            assert link is not None
            assert link.startswith(public)
            assert await asyncio.to_thread(_read, link, "bytes=0-3") == b"RIFF"

            await SessionErasure(engine.db, objects).erase(UUID(int=1), fence.session_id)
            assert await engine.sql("SELECT FROM erasures") == []
            assert [name for name, _ in await objects.list("") if not name.startswith("identity/")] == []
    life = "a recording's whole life: segments, product, links under a public name, ranges, erasure"
    note("storage", ran[0], version=ran[1], run=life, lacks=", ".join(ABILITIES[lack] for lack in sorted(lacks)))


@pytest.mark.long
@pytest.mark.parametrize("server", [VERSITYGW, MINIO], ids=lambda server: server.name)
async def test_a_link_is_good_for_the_host_that_it_names_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: S3Server
) -> None:
    """On a server that checks signatures: so a public name has to be signed, not put in afterwards."""
    with _real(server, tmp_path / "storage") as (url, variables):
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        objects = Objects.open(url)
        await objects.put_bytes("a", b"0123456789")
        link = await objects.signed_url("a", 60)
        assert link is not None
        assert await asyncio.to_thread(_read, link, "bytes=2-4") == b"234"
        with pytest.raises(urllib.error.HTTPError) as caught:
            await asyncio.to_thread(_read, link.replace("127.0.0.1", "localhost"), "bytes=2-4")
        assert caught.value.code == 403
        caught.value.close()


def _read(url: str, byte_range: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Range": byte_range}), timeout=10) as answer:
        read: bytes = answer.read()
    return read
