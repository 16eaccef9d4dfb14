"""The spool becomes `conversation.wav`: freeze, build, store, check, commit. Run again until it is done.

The freeze fixes what is built, so every builder makes the same bytes, as long as the storage loses no segment between
two of them. Each product has a folder that is called by what is in it, so nobody overwrites what another one commits.
Segments are removed only after the product was read back and committed, and the jobs of the transcript and of the
participants' files no longer need them.
"""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import structlog

from audio.building.build import BuildPlan, BuildResult, build_recording
from audio.building.recording_document import recording_document
from audio.building.waveform_document import waveform_document
from sessions.codes import lookup
from sessions.ids import format_id
from sessions.lifecycle.lifecycle import Status
from sessions.texts.file_name import content_disposition, recording_file_name
from store.installation.storage_identity import Confirm
from store.objects.errors import StorageError
from store.objects.objects import Objects
from store.outputs.freeze import Freezes, FrozenPlan, NotReady, Product
from store.outputs.output_keys import RECORDING, beside, output_folder
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.recording_plan import planned_segment, recording_plan
from worker.outputs.product.segment_reader import SegmentReader
from worker.outputs.product.stored_file import nameless_file, path_of

_log = structlog.get_logger(__name__)

_READ_BACK_BYTES = 8 << 20


class Finalizer:
    """Builds recordings. `temporary` is a folder for unfinished ones, which leave nothing behind in it."""

    def __init__(
        self,
        freezes: Freezes,
        objects: Objects,
        confirm: Confirm,
        leftovers: Leftovers,
        *,
        temporary: Path,
        salvage_seconds: float,
    ) -> None:
        self._freezes = freezes
        self._objects = objects
        self._confirm = confirm
        self._leftovers = leftovers
        self._temporary = temporary
        self._salvage_seconds = salvage_seconds

    async def finalize(self, session_id: UUID) -> None:
        """Take an `ending` session to its end if its time has come; else return, as the job will be deferred again.

        Of a session that is over, or was erased, what nobody needs any more is removed.

        In a storage that is not ours nothing is looked for, and what was built there is not committed.

        Raises:
            DatabaseUnavailableError, StorageError, OSError: nothing is lost, try again.
        """
        await self._confirm()
        name = format_id("sess", session_id)
        frozen = await self._freezes.freeze(session_id, self._salvage_seconds, lambda: self._list_segments(name))
        if isinstance(frozen, NotReady):
            if frozen.status is not Status.ENDING:
                await self._leftovers.remove(session_id)
            return
        if frozen.session.started_at is None:
            await self._freezes.commit_without_product(session_id, frozen.session.epoch)
            return
        async with self._leftovers.afterwards(session_id):
            product = await self._build_and_store(name, frozen)
            await self._confirm()
            if await self._freezes.commit(session_id, frozen.session.epoch, product):
                figures = {"duration_ms": product.duration_ms, "size_bytes": product.size_bytes}
                _log.info("recording.committed", session_id=name, **figures)

    async def _list_segments(self, name: str) -> list[dict[str, Any]]:
        prefix = f"spool/{name}"
        found = [planned_segment(key, prefix) for key, _ in await self._objects.list(prefix)]
        await self._confirm()  # the list is frozen for good
        return [segment for segment in found if segment is not None]

    async def _build_and_store(self, name: str, frozen: FrozenPlan) -> Product:
        with nameless_file(self._temporary) as file:
            result = await _build(recording_plan(frozen), self._objects, file)
            for storage_key in result.damaged_segments:
                _log.error("segment.damaged", session_id=name, storage_key=storage_key)
            session = frozen.session
            document = _json(recording_document(name, result))
            key = f"{output_folder(session.id, RECORDING, document)}/conversation.wav"
            called = content_disposition(recording_file_name(session.title, session.started_at, "wav"))
            await self._objects.put_file(key, path_of(file), disposition=called)
        await self._check(key, result)
        await self._objects.put_bytes(beside(key, "recording.json"), document)
        await self._objects.put_bytes(beside(key, "waveform.json"), _json(waveform_document(result)))
        return _product(key, result)

    async def _check(self, key: str, result: BuildResult) -> None:
        """Read the product back: segments are deleted only if the storage really has it."""
        sha256 = hashlib.sha256()
        size_bytes = 0
        while block := await self._objects.read_range(key, size_bytes, _next_end(size_bytes, result.size_bytes)):
            await asyncio.to_thread(sha256.update, block)
            size_bytes += len(block)
        if size_bytes != await self._objects.head(key) or sha256.hexdigest() != result.sha256_hex:
            raise StorageError("storage.write_failed", "the recording reads back different from what was written")


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=2, sort_keys=True).encode() + b"\n"


def _next_end(start: int, size_bytes: int) -> int:
    return min(start + _READ_BACK_BYTES, size_bytes)


async def _build(plan: BuildPlan, objects: Objects, file: IO[bytes]) -> BuildResult:
    """Build in a thread, which reads one segment after the other; canceled, the thread ends at the next one."""
    with SegmentReader(objects) as read:
        return await asyncio.to_thread(build_recording, plan, read, path_of(file))


def _product(key: str, result: BuildResult) -> Product:
    ours = sorted({gap["code"] for gap in result.gaps if lookup(gap["code"]).fault == "platform"})
    return Product(
        object_key=key,
        sha256=result.sha256_hex,
        size_bytes=result.size_bytes,
        duration_ms=result.length_samples * 1000 // result.sample_rate,
        sample_rate=result.sample_rate,
        channels=result.num_channels,
        peak_dbfs=result.peak_dbfs,
        tracks=[dict(track) for track in result.tracks],
        gaps=[dict(gap) for gap in result.gaps],
        absences=[dict(absence) for absence in result.absences],
        incomplete=bool(ours),
        reason=ours[0] if ours else None,
    )
