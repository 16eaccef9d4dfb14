"""The end of a run: its stop is written, the room left, what was recorded drained, sealed and uploaded."""

import asyncio
from functools import partial

import structlog

from store.database.boot_clock import SECOND_NS, boottime_ns
from store.database.until_answered import until_answered
from store.runs.run_segments import RunSegments
from worker.lease.live_run import LiveRun
from worker.run.recorder_tools import RecorderTools
from worker.run.recording import RunRecording
from worker.run.room_seat import RoomSeat
from worker.run.run_beginning import RunBeginning
from worker.run.stopping.run_stop import RunStop, StopKind
from worker.run.watching.room_watch import RoomWatch

_log = structlog.get_logger(__name__)

_LEAST_SEAL_SECONDS = 60.0
_DRAIN_NS = SECOND_NS // 4


class RunSealing:
    """Takes one run from its stop to the seal."""

    def __init__(
        self, run: LiveRun, seat: RoomSeat, watch: RoomWatch, beginning: RunBeginning, tools: RecorderTools
    ) -> None:
        self._run = run
        self._seat = seat
        self._watch = watch
        self._beginning = beginning
        self._tools = tools

    @property
    def seconds(self) -> float:
        """How long sealing may take; after that the session is finalized without this run."""
        return max(self._tools.settings.salvage_seconds, _LEAST_SEAL_SECONDS)

    async def seal(self, stop: RunStop, recording: RunRecording | None) -> None:
        """Write the stop if this run found it; then drain and leave the room, and upload and seal within `seconds`."""
        now_ns = boottime_ns()
        ending_at = None if stop.stop is None else stop.stop.at
        if stop.kind is StopKind.FOUND:
            assert stop.stop is not None
            session = await self._run.until_written(partial(self._tools.runs.enter_ending, self._run.fence, stop.stop))
            ending_at = session.ending_at if session is not None else None
        if ending_at is not None and recording is not None and stop.code != "cancel.requested":
            await self._drain_room(recording.clock.boottime_of(recording.clock.sample_of(ending_at)))
        if recording is not None:
            await self._watch.end(recording)
        if recording is not None and self._seat.room is not None and self._seat.room.connected:
            await recording.leave(boottime_ns())
        await self._seat.leave()
        try:
            async with asyncio.timeout(self.seconds):
                stored = RunSegments()
                if recording is not None:
                    await self._beginning.written()
                    stored = await recording.finish(ending_at, self._tools.beats, now_ns)
                await until_answered(lambda: self._tools.runs.seal(self._run.fence, stored))
        except TimeoutError:
            _log.error("session.not_sealed", kind=stop.kind.name)  # the spool stays: salvage uploads it later
            return
        if recording is not None:
            await recording.clear()
        else:
            await self._beginning.drop()
        _log.info("session.sealed", kind=stop.kind.name)

    async def _drain_room(self, ending_ns: int) -> None:
        """Wait for what was said before the end and is still on its way."""
        if self._seat.room is not None and self._seat.room.connected:
            left_ns = ending_ns + _DRAIN_NS - boottime_ns()
            await asyncio.sleep(min(max(left_ns, 0), _DRAIN_NS) / SECOND_NS)
