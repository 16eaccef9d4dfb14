"""Makes the files of a recording besides `conversation.wav`: other forms of it, and those of the participants.

It may be run again whatever went wrong: what is stored stays, and the rest is made. A file's key has its digest in it,
so that two who make one at the same time leave two objects, of which one is noted (an encoder may make other bytes each
time), and the other one is removed.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import structlog

from audio.building.build import build_tracks
from audio.building.encoding import EncodedFormat, encode
from audio.building.wav import digest
from sessions.ids import format_id
from sessions.texts.file_name import content_disposition, recording_file_name
from store.installation.storage_identity import Confirm
from store.objects.objects import Objects
from store.outputs.freeze import Committed, Freezes
from store.outputs.output_keys import FILES, output_folder
from store.outputs.recording_files import MIX, MadeState, RecordingFile, RecordingFiles
from worker.outputs.leftovers import Leftovers
from worker.outputs.product.recording_plan import recording_plan
from worker.outputs.product.segment_reader import SegmentReader
from worker.outputs.product.stored_file import nameless_file, path_of, stored_file

_log = structlog.get_logger(__name__)

_MOST_ATTEMPTS = 20


class FileMaker:
    """Makes files. `temporary` is a folder for unfinished ones, which leave nothing behind in it."""

    def __init__(
        self,
        files: RecordingFiles,
        freezes: Freezes,
        objects: Objects,
        confirm: Confirm,
        leftovers: Leftovers,
        *,
        temporary: Path,
    ) -> None:
        self._files = files
        self._freezes = freezes
        self._objects = objects
        self._confirm = confirm
        self._leftovers = leftovers
        self._temporary = temporary

    async def make(self, session_id: UUID) -> None:
        """Make what is wanted of a session and is not there yet.

        Raises:
            DatabaseUnavailableError, StorageError, OSError: nothing is lost, try again.
        """
        await self._confirm()
        async with self._leftovers.afterwards(session_id):
            while tracks := await self._files.take_tracks(session_id):
                await self._make_tracks(session_id, await self._hopeful(session_id, tracks))
            while (file := await self._files.take(session_id)) is not None:
                for hopeful in await self._hopeful(session_id, [file]):
                    await self._encode(session_id, hopeful)

    async def _hopeful(self, session_id: UUID, files: Sequence[RecordingFile]) -> list[RecordingFile]:
        """Those that were not tried too often; the others are given up."""
        for file in files:
            if file.attempts > _MOST_ATTEMPTS:
                _log.error("recording_file.given_up", session_id=format_id("sess", session_id), format=file.format)
                await self._files.fail(session_id, file)
        return [file for file in files if file.attempts <= _MOST_ATTEMPTS]

    async def _make_tracks(self, session_id: UUID, tracks: Sequence[RecordingFile]) -> None:
        frozen = await self._freezes.frozen(session_id)
        if frozen is None or not tracks:
            return
        with ExitStack() as stack, SegmentReader(self._objects) as read:
            opened = {track.identity: stack.enter_context(nameless_file(self._temporary)) for track in tracks}
            paths = {identity: path_of(file) for identity, file in opened.items()}
            found = await asyncio.to_thread(build_tracks, recording_plan(frozen), read, paths)
            recorded = _recorded(await self._freezes.committed(session_id))
            for track in tracks:
                whole = found[track.identity] >= recorded[track.identity]
                if not whole:
                    _log.error("recording_file.incomplete", session_id=format_id("sess", session_id))
                await self._store(session_id, track, paths[track.identity], "available" if whole else "incomplete")

    async def _encode(self, session_id: UUID, file: RecordingFile) -> None:
        source = await self._files.source_of(session_id, file)
        assert file.format != "wav"
        if source is None:  # erased
            return
        async with stored_file(self._objects, source.object_key, self._temporary) as wav:
            with nameless_file(self._temporary) as made:
                await _encode(wav, path_of(made), file.format)
                await self._store(session_id, file, path_of(made), source.state)

    async def _store(self, session_id: UUID, file: RecordingFile, path: Path, state: MadeState) -> None:
        sha256, size_bytes = await asyncio.to_thread(digest, path)
        asked = file.requested_at.isoformat()
        key = f"{output_folder(session_id, FILES, f'{asked} {sha256}'.encode())}.{file.format}"
        called = await self._called(session_id, file)
        await self._objects.put_file(key, path, disposition=called)
        await self._confirm()  # it lies in the right storage
        finished = await self._files.finish(
            session_id, file, state=state, object_key=key, sha256=sha256, size_bytes=size_bytes
        )
        if finished:
            _log.info(
                "recording_file.made",
                session_id=format_id("sess", session_id),
                format=file.format,
                of="everybody" if file.identity == MIX else "one",
                size_bytes=size_bytes,
            )

    async def _called(self, session_id: UUID, file: RecordingFile) -> str:
        title, started_at = await self._files.title_and_start(session_id)
        return content_disposition(recording_file_name(title, started_at, file.format, file.identity or None))


def _recorded(committed: Committed) -> Counter[str]:
    """How many samples the recording has of each identity."""
    samples: Counter[str] = Counter()
    for track in committed.tracks:
        samples[track["identity"]] += track["samples"]
    return samples


async def _encode(wav: Path, write_to: Path, form: EncodedFormat) -> None:
    """Encode in a thread; canceled, the thread ends within a second of the recording."""
    canceled = threading.Event()
    try:
        await asyncio.to_thread(encode, wav, write_to, form, canceled)
    finally:
        canceled.set()
