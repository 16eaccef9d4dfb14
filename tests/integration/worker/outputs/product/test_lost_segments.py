"""What the object storage loses before a recording is built is named, on a local folder and on S3."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from sessions.lifecycle.lifecycle import Status
from store.installation.storage_identity import StorageUnrecognized
from store.objects.objects import Objects
from store.outputs.freeze import FrozenPlan, Product
from tests.support.running.engine import Engine
from tests.support.samples.loss import Loss
from worker.outputs.product.finalizer import Finalizer
from worker.spool.salvage import Salvage

STORAGE = "gap.storage"


@pytest.fixture
async def loss(database_url: str, objects: Objects, tmp_path: Path) -> AsyncIterator[Loss]:
    """Everything fresh."""
    async with Engine.open(database_url) as engine:
        yield Loss(engine, objects, tmp_path / "data")


@pytest.mark.parametrize(
    ("removed", "gaps"),
    [
        ([], []),
        ([0], [(0, 1000)]),
        ([1], [(1000, 2000)]),
        ([2], [(2000, 3000)]),
        ([0, 2], [(0, 1000), (2000, 3000)]),
        ([0, 1, 2], [(0, 3000)]),
    ],
)
async def test_segments_that_were_removed_before_the_end_are_gaps(
    loss: Loss, removed: list[int], gaps: list[tuple[int, int]]
) -> None:
    """One of three, some, all: exactly their time, and the recording is incomplete."""
    fence = await loss.engine.running()
    stored, keys = await loss.upload(fence, range(1, 4))
    for index in removed:
        await loss.objects.delete(keys[index])
    await loss.end_after(fence, 3.0)
    await loss.engine.runs.seal(fence, stored)
    state = ("incomplete", STORAGE) if removed else ("available", None)
    assert await loss.recording(fence) == (*state, [(start, end, STORAGE) for start, end in gaps])


def _cut(data: bytes) -> bytes:
    return data[: len(data) - 45 * 960]


def _flip(data: bytes) -> bytes:
    at = len(data) - 45 * 960
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("damage", [_cut, _flip, lambda data: b"", lambda data: b"\0" * len(data)])
async def test_a_segment_that_is_there_but_damaged_is_a_gap_from_the_damage_on(
    loss: Loss, damage: Callable[[bytes], bytes]
) -> None:
    """Cut off, one bit, empty, all zeros."""
    fence = await loss.engine.running()
    stored, keys = await loss.upload(fence, range(1, 4))
    data = damage(await loss.objects.get(keys[1]))
    await loss.objects.put_bytes(keys[1], data)
    await loss.end_after(fence, 3.0)
    await loss.engine.runs.seal(fence, stored)
    start = 1500 if data[:8] == b"PARLEYSG" else 1000
    assert await loss.recording(fence) == ("incomplete", STORAGE, [(start, 2000, STORAGE)])


async def test_a_hole_in_what_a_lost_host_had_uploaded_is_a_gap(loss: Loss) -> None:
    """It never sealed: the numbers say what is missing, and the lost worker's gap covers the rest."""
    fence = await loss.engine.running()
    _, keys = await loss.upload(fence, range(1, 5))
    await loss.objects.delete(keys[1])
    await loss.objects.delete(keys[3])
    await loss.end_after(fence, 6.0)
    await loss.engine.pass_seconds(100)
    gaps: list[tuple[int, int, Any]] = [(1000, 2000, STORAGE), (3000, 6000, "gap.worker_lost")]
    assert await loss.recording(fence) == ("incomplete", STORAGE, gaps)


async def test_what_a_killed_process_had_uploaded_is_known_to_whoever_salvages_it(loss: Loss) -> None:
    """Two were stored when it died, both are gone since; the third was in its spool."""
    fence = await loss.engine.running()
    _, keys = await loss.upload(fence, range(1, 3))
    loss.record(fence, 3)
    for key in keys:
        await loss.objects.delete(key)
    await loss.end_after(fence, 3.0)
    engine = loss.engine
    await Salvage(loss.data_dir, engine.db, loss.objects, engine.claims, engine.runs).run()
    assert await loss.recording(fence) == ("incomplete", STORAGE, [(0, 2000, STORAGE)])
    assert list((loss.data_dir / "spool").iterdir()) == []


async def test_finalizing_waits_while_another_storage_is_in_the_place_of_ours(loss: Loss, tmp_path: Path) -> None:
    """An empty folder instead of the mount: nothing is frozen or built, and nothing is missing once it is back."""
    fence = await loss.engine.running()
    await loss.identity.confirm()
    stored, _ = await loss.upload(fence, range(1, 3))
    await loss.end_after(fence, 2.0)
    await loss.engine.runs.seal(fence, stored)
    ours, loss.objects = loss.objects, Objects.open((tmp_path / "empty").as_uri())
    with pytest.raises(StorageUnrecognized):
        await loss.recording(fence)
    assert await loss.engine.status(fence.session_id) == Status.ENDING
    assert await loss.engine.sql("SELECT FROM recordings") == []
    assert await loss.objects.list("") == []
    loss.objects = ours
    assert await loss.recording(fence) == ("available", None, [])


async def test_a_segment_stays_in_the_spool_while_another_storage_is_in_the_place_of_ours(
    loss: Loss, tmp_path: Path
) -> None:
    """Nobody's audio goes into a stranger's storage; salvage finds it in the spool."""
    fence = await loss.engine.running()
    await loss.identity.confirm()
    ours, loss.objects = loss.objects, Objects.open((tmp_path / "empty").as_uri())
    engine = loss.engine
    loss.record(fence, 1)
    await loss.end_after(fence, 1.0)
    with pytest.raises(StorageUnrecognized):
        await Salvage(loss.data_dir, engine.db, loss.objects, engine.claims, engine.runs).run()
    assert await loss.objects.list("") == []
    loss.objects = ours
    await Salvage(loss.data_dir, engine.db, loss.objects, engine.claims, engine.runs).run()
    assert await loss.recording(fence) == ("available", None, [])


async def test_a_recording_that_was_built_in_another_storage_is_not_committed(
    loss: Loss, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The storage was replaced after the freeze, in the middle of the build."""
    fence = await loss.engine.running()
    await loss.identity.confirm()
    stored, _ = await loss.upload(fence, range(1, 3))
    await loss.end_after(fence, 2.0)
    await loss.engine.runs.seal(fence, stored)
    ours, empty = loss.objects, Objects.open((tmp_path / "empty").as_uri())
    build = Finalizer._build_and_store

    async def build_elsewhere(self: Finalizer, name: str, frozen: FrozenPlan) -> Product:
        for part in ("_store", "_root"):
            monkeypatch.setattr(ours, part, getattr(empty, part))
        return await build(self, name, frozen)

    with monkeypatch.context() as replaced:
        replaced.setattr(Finalizer, "_build_and_store", build_elsewhere)
        before = (ours._store, ours._root)
        with pytest.raises(StorageUnrecognized):
            await loss.recording(fence)
    ours._store, ours._root = before
    assert await loss.recording(fence) == ("available", None, [])


async def test_a_segment_that_is_lost_after_the_freeze_is_a_gap_too(loss: Loss) -> None:
    """The plan names it, and the build does not find it."""
    fence = await loss.engine.running()
    stored, keys = await loss.upload(fence, range(1, 3))
    await loss.end_after(fence, 2.0)
    await loss.engine.runs.seal(fence, stored)
    await loss.engine.frozen(fence.session_id)
    await loss.objects.delete(keys[0])
    assert await loss.recording(fence) == ("incomplete", STORAGE, [(0, 1000, STORAGE)])
