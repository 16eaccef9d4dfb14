"""Uploads what dead processes left in their spools.

A folder whose lock is free proves that its process is dead. Its runs are released, torn tails are cut off, and what was
recorded is uploaded, up to the instant at which the session was stopped. Then the runs are sealed: finalizing waits for
that.
"""

import asyncio
import shutil
from collections.abc import Set as AbstractSet
from pathlib import Path
from uuid import UUID

import structlog

from audio.segments.segment_key import SegmentKey
from sessions.ids import format_id
from store.database.database import Database
from store.installation.storage_identity import StorageIdentity
from store.objects.objects import Objects
from store.runs.claims import Claims
from store.runs.fence import Fence
from store.runs.leftover_runs import LeftoverRun, find_leftover_run
from store.runs.run_segments import RunSegments
from store.runs.runs import Runs
from worker.clock.pause_ranges import pause_ranges
from worker.clock.session_clock import SessionClock
from worker.spool.spool_folder import AbandonedRun, AbandonedSpool, abandoned_spools
from worker.spool.stored_journal import StoredJournal
from worker.spool.uploader import upload_segment

_log = structlog.get_logger(__name__)


class Salvage:
    """`segments` counts what was uploaded; setting `wake` asks for a look at once."""

    def __init__(self, data_dir: Path, db: Database, objects: Objects, claims: Claims, runs: Runs) -> None:
        self.wake = asyncio.Event()
        self.segments = 0
        self._data_dir = data_dir
        self._db = db
        self._objects = objects
        self._confirm = StorageIdentity(db, objects).confirm
        self._claims = claims
        self._runs = runs

    async def run(self, live_owners: AbstractSet[UUID] = frozenset()) -> None:
        """Salvage every abandoned spool; the folders of `live_owners` are left alone, whatever their locks say.

        Raises:
            DatabaseError, StorageError, OSError: the rest is left for the next time.
        """
        for spool in abandoned_spools(self._data_dir):
            if spool.owner not in live_owners:
                await self._salvage(spool)

    async def _salvage(self, spool: AbandonedSpool) -> None:
        await self._claims.release(spool.owner, lost=True)
        for run in spool.runs():
            fence = Fence(run.session_id, run.epoch, run.owner)
            found = await find_leftover_run(self._db, fence)
            if found is None or found.settled:
                await self._runs.seal(fence)  # what it has stored since then is looked for
                await asyncio.to_thread(shutil.rmtree, run.folder, ignore_errors=True)
                continue
            stored = await self._upload(run, found)
            if not found.sealed:
                await self._runs.seal(fence, stored)
                _log.info(
                    "spool.salvaged",
                    session_id=format_id("sess", run.session_id),
                    epoch=run.epoch,
                    segments=len(stored.stored),
                )
            await asyncio.to_thread(run.remove_if_empty)
        await asyncio.to_thread(spool.remove_if_empty)

    async def _upload(self, run: AbandonedRun, found: LeftoverRun) -> RunSegments:
        if not found.joined or found.started_at is None:
            return RunSegments()  # the run never joined: nothing in it has a place in the recording
        clock = SessionClock.of_stamps(found.started_at)
        end_sample = None if found.stop_at is None else clock.sample_of(found.stop_at)
        cuts = pause_ranges(found.pauses, clock)
        journal = await asyncio.to_thread(StoredJournal.read, run.folder)
        for segment in await asyncio.to_thread(run.recover):
            await upload_segment(self._objects, self._confirm, run.session_id, segment, journal, end_sample, cuts)
            self.segments += 1
        numbers = [SegmentKey.parse(segment.name).sequence for segment in journal.stored]
        return RunSegments(max(numbers, default=0), journal.stored)
