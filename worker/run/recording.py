"""What exists once a run is `running`: its clock, spool, recorder and uploader, and the loops around them."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from store.database.boot_clock import SECOND_NS, boottime_ns
from store.database.clock import ClockPair
from store.lifecycle.pauses import Pause
from store.log.session_log import SessionLog
from store.runs.claims import Claim
from worker.capture.recorder import Recorder
from worker.capture.spawn import Spawn
from worker.capture.stream_playout import StreamPlayout
from worker.capture.synthetic_input import SyntheticInput
from worker.clock.session_clock import SessionClock
from worker.lease.beats import Beats
from worker.lease.live_run import Counters, LiveRun
from worker.room.events import RemoteTrack, TextOpened
from worker.room.livekit_room import LiveKitRoom
from worker.room.presence import RoomPresence
from worker.run.pauses import RunPauses
from worker.run.recorder_tools import RecorderTools
from worker.run.room_messages import RoomMessages
from worker.spool.run_spool import RunSpool, SealedSegment
from worker.spool.uploader import Uploader

_STATS_SECONDS = 5.0
_BUFFERED_NS = 2 * SECOND_NS  # what kernel and jitter buffer keep for a process that is stopped


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
        self._sine: SyntheticInput | None = None
        self._player: StreamPlayout | None = None
        self._pauses: RunPauses | None = None
        self._messages: RoomMessages | None = None
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

    def begin(self, started_at: datetime, pair: ClockPair, pauses: tuple[Pause, ...] = ()) -> None:
        """Sample 0 is known, and whether it is paused."""
        self.clock = SessionClock(started_at, pair)
        self.recorder = Recorder(self.clock, self._spool)
        self._uploader = Uploader(self._tools.objects, self._claim.session.id, self.clock)
        self._uploading = self._spawn(self._uploader.run(), "uploader")
        self._spawn(self._uploader.erase_pauses(), "erase-pauses")
        self._messages = RoomMessages(self._run, SessionLog(self._tools.db), self.clock, lambda: self._room)
        self._spawn(self._messages.send_posted(), "messages")
        self._spawn(self._watch_concealment(), "concealment")
        self._pauses = RunPauses(self.clock, self.recorder, self._uploader, pauses)
        transport = self._claim.session.transport
        if transport is not None and transport.synthetic_audio_if_no_input:
            self._sine = SyntheticInput(self.clock, self.recorder, self._spawn, resumed=self._claim.resumed)
        if transport is not None and transport.audio_source == "data_stream":
            self._player = StreamPlayout(
                self.clock,
                self.recorder,
                self._spawn,
                buffer_seconds=self._tools.settings.stream_buffer_seconds,
                resumed=self._claim.resumed,
            )
            self._spawn(self._player.run(), "player")
        self._run.counters = self._count
        uploader = self._uploader
        self._run.uploads_pending = lambda: uploader.waiting

    def entered(self, room: LiveKitRoom) -> None:
        """We are in `room` (again)."""
        self._room = room
        self._run.messages.set()
        if self._player is not None and room.streams is not None:
            self._player.entered(room.streams)
        if self._sine is not None:
            self._sine.entered(room)

    def dropped(self) -> None:
        """The room is lost: its tracks have ended."""
        self._room = None
        self.recorder.close_tracks()
        if self._player is not None:
            self._player.dropped()
        if self._sine is not None:
            self._sine.dropped()

    @property
    def streaming(self) -> bool:
        """Whether a stream of PCM is being received or played."""
        return self._player is not None and self._player.busy

    async def leave(self, now_ns: int) -> None:
        """The room is about to be left: whoever waits for its audio to be played hears how far that came."""
        if self._player is not None:
            await self._player.farewell(now_ns)

    def open_track(self, room: LiveKitRoom, track: RemoteTrack) -> None:
        """Record one track until it ends."""
        append = self.recorder.open_track(track)
        self._spawn(room.read_frames(track.sid, append), f"track-{track.sid}")

    def hear(self, opened: TextOpened) -> None:
        """Log a text of the room once it is whole."""
        if self._messages is not None:
            self._spawn(self._messages.hear(opened), "hear")

    def tick(self, now_ns: int) -> None:
        """What time asks for; and let the uploader know what is proven."""
        self.recorder.tick(now_ns)
        self._name_standstills(self._run.proven_ns)
        if self._uploader is not None:
            state = self._run.state
            if state is not None and state.ending_at is not None:
                self._uploader.cut_at(self.clock.sample_of(state.ending_at))
            if state is not None and self._pauses is not None:
                self._pauses.follow(state.pauses, now_ns)
            self._uploader.prove(self._run.proven_ns)

    def gap(self, code: str, from_ns: int, to_ns: int) -> None:
        """Note a hole between two instants of the boot-time clock."""
        self.recorder.gap(code, self.clock.sample_at(from_ns), self.clock.sample_at(to_ns))

    def _name_standstills(self, known_ns: int) -> None:
        """Name the stretches in which this process stood still, those before `known_ns`: by then it is known whether
        another one took the session meanwhile, or what came late was played late."""
        waiting = []
        for from_ns, to_ns in self._run.standstills:
            if self._run.replaced:
                self.gap("gap.worker_lost", from_ns, to_ns)
            elif to_ns < known_ns:
                self.gap("gap.concealed", from_ns + _BUFFERED_NS, to_ns)
            else:
                waiting.append((from_ns, to_ns))
        self._run.standstills[:] = waiting

    def follow_sine(self, room: LiveKitRoom, presence: RoomPresence, now_ns: int) -> None:
        """Let the synthetic input begin and end, if the session wants one."""
        if self._sine is not None:
            self._sine.follow(room, now_ns, somebody_came=presence.somebody_came)

    async def finish(self, ending_at: datetime | None, beats: Beats, stopped_ns: int) -> None:
        """Drain and seal, prove the last stretch, upload everything that lies before the stop."""
        assert self._uploader is not None
        if self._sine is not None:
            self._sine.end(stopped_ns)
        if self._player is not None:
            self._player.stop(boottime_ns())
        self.recorder.close_tracks()
        self._name_standstills(stopped_ns)
        await self._spool.close()
        if ending_at is not None:
            self._uploader.cut_at(self.clock.sample_of(ending_at))
        if not self._run.replaced:
            beats.hurry()
            await self._run.proven_after(boottime_ns() if ending_at is None else stopped_ns)
        assert self._pauses is not None
        await self._pauses.cut_as_stamped(self._tools.db, self._run.fence)
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
