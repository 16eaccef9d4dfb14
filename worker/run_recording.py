"""What exists once a run is `running`: its clock, spool, recorder and uploader, and the loops around them."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog
from pydantic import SecretStr

from audio.pcm import SAMPLE_RATE, Pcm
from audio.sine import sine_block
from sessions.errors import DatabaseUnavailableError
from store.claims import Claim
from store.clock import ClockPair
from store.fence import Replaced
from worker.beats import Beats
from worker.boot_clock import SECOND_NS, boottime_ns
from worker.live_run import Counters, LiveRun
from worker.livekit_room import LiveKitRoom
from worker.recorder import Recorder
from worker.recorder_tools import RecorderTools
from worker.room_presence import RoomPresence
from worker.session_clock import SessionClock
from worker.spool import RunSpool, SealedSegment
from worker.uploader import Uploader

_log = structlog.get_logger(__name__)

_STATS_SECONDS = 5.0
_SINE_AFTER_SAMPLES = 10 * SAMPLE_RATE
_SINE_BLOCK_SAMPLES = SAMPLE_RATE // 5
_TOKEN_ATTEMPTS = 5
_BUFFERED_NS = 2 * SECOND_NS  # what kernel and jitter buffer keep for a process that is stopped

Spawn = Callable[["asyncio._CoroutineLike[None]", str], "asyncio.Task[None]"]


class RunRecording:
    """The recording of one run. `failure` is the code of a spool that cannot be written any more.

    Made in two steps: `open_spool` before the session is `running`, `begin` when its `started_at` is known.
    """

    clock: SessionClock
    recorder: Recorder

    def __init__(
        self, claim: Claim, run: LiveRun, tools: RecorderTools, wake: Callable[[], None], spawn: Spawn
    ) -> None:
        self.failure: str | None = None
        self._claim = claim
        self._run = run
        self._tools = tools
        self._wake = wake
        self._spawn = spawn
        self._uploader: Uploader | None = None
        self._uploading: asyncio.Task[None] | None = None
        self._room: LiveKitRoom | None = None
        self._sine_on = False
        self._sine_over = False
        self._publishing: asyncio.Task[None] | None = None
        self._spool = RunSpool(
            tools.spool_writer,
            tools.spool_folder,
            session_id=claim.session.id,
            epoch=claim.epoch,
            owner=run.fence.owner,
            segment_seconds=tools.settings.segment_seconds,
            on_sealed=self._sealed,
            on_failed=self._failed,
        )

    def open_spool(self) -> None:
        """Make sure that the spool can be written.

        Raises:
            ParleyError: `storage.full` or `storage.write_failed`.
        """
        self._spool.open()

    def begin(self, started_at: datetime, pair: ClockPair) -> None:
        """Sample 0 is known."""
        self.clock = SessionClock(started_at, pair.db_time, pair.boottime_ns)
        self.recorder = Recorder(self.clock, self._spool)
        self._uploader = Uploader(self._tools.objects, self._claim.session.id, self.clock)
        self._uploading = self._spawn(self._uploader.run(), "uploader")
        self._spawn(self._watch_concealment(), "concealment")
        self._run.counters = self._count

    def entered(self, room: LiveKitRoom) -> None:
        """We are in `room` (again)."""
        self._room = room
        if self._sine_on:
            self._publish_sine(room)

    def dropped(self) -> None:
        """The room is lost: its tracks have ended."""
        self._room = None
        self.recorder.close_tracks()
        self._stop_publishing()

    async def read(self, room: LiveKitRoom, sid: str, append: Callable[[int, Pcm], None]) -> None:
        """Read one track until it ends."""
        await room.read_frames(sid, append)

    def tick(self, now_ns: int) -> None:
        """What time asks for; and let the uploader know what is proven."""
        self.recorder.tick(now_ns)
        for from_ns, to_ns in self._run.standstills:
            self.gap("gap.concealed", from_ns + _BUFFERED_NS, to_ns)
        self._run.standstills.clear()
        if self._uploader is not None:
            state = self._run.state
            if state is not None and state.ending_at is not None:
                self._uploader.cut_at(self.clock.sample_of(state.ending_at))
            self._uploader.prove(self._run.proven_ns)

    def gap(self, code: str, from_ns: int, to_ns: int) -> None:
        """Note a hole between two instants of the boot-time clock."""
        self.recorder.gap(code, self.clock.sample_at(from_ns), self.clock.sample_at(to_ns))

    def gap_since(self, last_beat: datetime, now_ns: int) -> None:
        """Note the hole that a lost worker left."""
        self.recorder.gap("gap.worker_lost", self.clock.sample_of(last_beat), self.clock.sample_at(now_ns))

    def follow_sine(self, room: LiveKitRoom, presence: RoomPresence, now_ns: int) -> None:
        """The synthetic input: on after ten seconds alone, off for good when the first participant comes."""
        transport = self._claim.session.transport
        assert transport is not None
        if not transport.synthetic_audio_if_no_input or self._sine_over:
            return
        if presence.somebody_came:
            self._sine_over = True
            if self._sine_on:
                self._sine_on = False
                self.recorder.stop_sine(now_ns)
                self._stop_publishing()
            return
        sample = self.clock.sample_at(now_ns)
        if not self._sine_on and sample >= _SINE_AFTER_SAMPLES:
            self._sine_on = True
            self.recorder.start_sine(sample if self._claim.resumed else _SINE_AFTER_SAMPLES)
            self._publish_sine(room)

    async def save_token(self, token: SecretStr, expires_at: datetime) -> None:
        """Keep a refreshed token for whoever takes over."""
        for _ in range(_TOKEN_ATTEMPTS):
            try:
                await self._tools.runs.save_token(self._run.fence, token, expires_at)
            except Replaced:
                return
            except DatabaseUnavailableError:
                await asyncio.sleep(1)
            else:
                return

    async def finish(self, ending_at: datetime | None, beats: Beats, stopped_ns: int) -> None:
        """Drain and seal, prove the last stretch, upload everything that lies before the stop."""
        assert self._uploader is not None
        if self._sine_on:
            self.recorder.stop_sine(stopped_ns)
        self._stop_publishing()
        self.recorder.close_tracks()
        await self._spool.close()
        if ending_at is not None:
            self._uploader.cut_at(self.clock.sample_of(ending_at))
        if not self._run.replaced:
            beats.hurry()
            await self._run.proven_after(boottime_ns() if ending_at is None else stopped_ns)
        state = self._run.state
        if state is not None and state.ending_at is not None:
            self._uploader.cut_at(self.clock.sample_of(state.ending_at))
        self._uploader.release_all()
        if self._uploading is None or self._uploading.done():
            await self._uploader.flush()
        await self._uploader.drained()
        self._run.joined = False
        for folder in (self._spool.folder, self._spool.folder.parent):
            try:
                folder.rmdir()
            except OSError:
                break

    def _publish_sine(self, room: LiveKitRoom) -> None:
        if not room.may_publish:
            return
        first_sample = self.clock.sample_at(boottime_ns())

        def block(number: int) -> Pcm:
            return sine_block(first_sample + number * _SINE_BLOCK_SAMPLES, _SINE_BLOCK_SAMPLES)

        self._publishing = self._spawn(room.publish("synthetic", block, _SINE_BLOCK_SAMPLES), "sine")

    def _stop_publishing(self) -> None:
        if self._publishing is not None:
            self._publishing.cancel()
            self._publishing = None

    async def _watch_concealment(self) -> None:
        while True:
            await asyncio.sleep(_STATS_SECONDS)
            room = self._room
            if room is None:
                continue
            for sid in self.recorder.track_sids:
                self.recorder.concealed(sid, await room.concealed_samples(sid), boottime_ns())

    def _sealed(self, segment: SealedSegment) -> None:
        assert self._uploader is not None
        self._uploader.add(segment)

    def _failed(self, code: str) -> None:
        self.failure = code
        self._wake()

    def _count(self) -> Counters:
        recorder = self.recorder
        first_ns = recorder.first_frame_ns
        return Counters(
            frames=recorder.frames,
            audio_ms=recorder.audio_ms,
            peak_dbfs=recorder.take_peak_dbfs(),
            first_frame_at=None if first_ns is None else self.clock.time_of(first_ns),
        )
