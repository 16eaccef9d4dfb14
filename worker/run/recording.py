"""What exists once a run is `running`: its spool, recorder and uploader, its sources, and the loops around them."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime

from store.database.boot_clock import boottime_ns
from store.lifecycle.pauses import Pause
from store.runs.claims import Claim
from store.runs.participant_events import ParticipantEvents
from store.runs.run_segments import RunSegments
from store.sessions.log.session_log import SessionLog
from worker.capture.recorder import Recorder
from worker.capture.room_tracks import RoomTracks
from worker.capture.source import Source
from worker.capture.spawn import Spawn
from worker.capture.stream_playout import StreamPlayout
from worker.capture.synthetic_input import SyntheticInput
from worker.clock.session_clock import SessionClock
from worker.lease.beats import Beats
from worker.lease.live_run import LiveRun
from worker.room.events import RemoteTrack, RoomEvent, TextOpened
from worker.room.livekit.room import LiveKitRoom
from worker.room.missing.heard_track import HeardTrack, MadeUp, Missing
from worker.room.presence import RoomPresence
from worker.room.room_reading import RoomReading
from worker.run.proof_ahead import ProofAhead
from worker.run.recorder_tools import RecorderTools
from worker.run.room_messages import RoomMessages
from worker.run.room_participants import LAST_WORDS_SECONDS, RoomParticipants
from worker.run.stamps import RunStamps
from worker.run.watching.standstills import Standstills
from worker.spool.run_folder import RunFolder
from worker.spool.run_spool import RunSpool
from worker.spool.stored_journal import StoredJournal
from worker.spool.uploader import Uploader


class RunRecording:
    """The recording of one run, from `started_at` (which `clock` knows) to the seal.

    Args:
        folder: opened before the session became `running`, so that a worker without a disk records nothing.
        pauses: those that the session had when it became `running`.
        hurry: asks for a reading of the room within so many seconds.
    """

    def __init__(
        self,
        claim: Claim,
        run: LiveRun,
        tools: RecorderTools,
        folder: RunFolder,
        clock: SessionClock,
        pauses: tuple[Pause, ...],
        spawn: Spawn,
        hurry: Callable[[float], None],
    ) -> None:
        self.clock = clock
        self.resumed = claim.resumed
        self._run = run
        self._tools = tools
        self._spawn = spawn
        self._folder = folder
        self._uploader = Uploader(tools.objects, tools.confirm, claim.session.id, clock, StoredJournal(folder.path))
        self._spool = RunSpool(
            tools.spool_writer,
            folder,
            segment_seconds=tools.settings.segment_seconds,
            on_sealed=self._uploader.add,
            on_failed=lambda _: run.wake(),
        )
        self._recorder = Recorder(clock, self._spool, hurry, takeover=_cost_of_takeover(claim))
        self._proof = ProofAhead()
        self._stamps = RunStamps(clock, self._recorder, self._uploader, pauses)
        self._standstills = Standstills(run, self.missing, self._recorder.missed)
        self._messages = RoomMessages(run, SessionLog(tools.db), clock)
        told = ParticipantEvents(tools.db, tools.settings.participant_events)
        self._participants = RoomParticipants(run, told, clock, resumed=claim.resumed)
        self._tracks = RoomTracks(self._recorder, spawn)
        self._sources: tuple[Source, ...] = (*self._stand_ins(claim), self._tracks)

    def _stand_ins(self, claim: Claim) -> Iterator[Source]:
        """The sources besides the room's tracks that this session asks for."""
        transport, clock, recorder = claim.session.transport, self.clock, self._recorder
        if transport is None:
            return
        if transport.synthetic_audio_if_no_input:
            yield SyntheticInput(clock, recorder, self._spawn, resumed=claim.resumed)
        if transport.audio_source == "data_stream":
            buffer_seconds = self._tools.settings.stream_buffer_seconds
            yield StreamPlayout(clock, recorder, self._spawn, buffer_seconds=buffer_seconds, resumed=claim.resumed)

    def start(self) -> None:
        """Start the loops; called once, in the session's task group."""
        self._spawn(self._uploader.run(), "uploader")
        self._spawn(self._uploader.erase_pauses(), "erase-pauses")
        self._spawn(self._messages.send_posted(), "messages")
        self._telling = self._spawn(self._participants.tell(), "participants")
        for source in self._sources:
            self._spawn(source.run(), type(source).__name__)
        self._run.recorded_by(self._recorder.take_counters, lambda: self._uploader.waiting)

    @property
    def failure(self) -> str | None:
        """The code of a spool that cannot be written any more: `storage.full` or `storage.write_failed`."""
        return self._spool.failure

    @property
    def streaming(self) -> bool:
        """Whether a stream of PCM is being received or played."""
        return any(source.busy for source in self._sources)

    def entered(self, room: LiveKitRoom) -> None:
        """The worker is in `room`, for the first time or again."""
        self._messages.entered(room)
        self._participants.entered(room.participants, boottime_ns())
        for source in self._sources:
            source.entered(room)

    def dropped(self) -> None:
        """The room is lost."""
        self._messages.dropped()
        self._participants.dropped()
        for source in self._sources:
            source.dropped()

    async def leave(self, now_ns: int) -> None:
        """The room is about to be left: whoever waits for its audio to be played hears how far that came."""
        for source in self._sources:
            await source.leave(now_ns)

    def open_track(self, room: LiveKitRoom, track: RemoteTrack) -> None:
        """Record one track until it ends."""
        self._tracks.open(room, track)

    def close_track(self, sid: str) -> None:
        """A track has ended."""
        self._tracks.close(sid)

    def mute_track(self, sid: str, muted: bool, now_ns: int) -> None:
        """A track was muted, or unmuted."""
        self._recorder.mute(sid, muted, now_ns)

    def deciphered(self, identity: str, now_ns: int) -> None:
        """The key has opened the encrypted tracks of a participant."""
        self._recorder.deciphered(identity, now_ns)

    @property
    def heard(self) -> list[HeardTrack]:
        """The tracks that are being recorded and have delivered frames."""
        return self._recorder.heard

    def read(self, reading: RoomReading, asked_ns: int) -> list[MadeUp]:
        """Take a reading; the stretches that jitter buffers have made up since."""
        return self._recorder.read(reading.tracks, asked_ns)

    def give_up(self, now_ns: int) -> list[MadeUp]:
        """The stretches that nothing will fill any more, when the end comes now."""
        return self._recorder.give_up(now_ns)

    def take(self, event: RoomEvent, now_ns: int) -> None:
        """Take note of who comes into the room and leaves it."""
        self._participants.take(event, now_ns)

    def regained(self, room: LiveKitRoom, now_ns: int) -> None:
        """The SDK is back in the room, by itself."""
        self._participants.entered(room.participants, now_ns)

    def hear(self, opened: TextOpened) -> None:
        """Log a text of the room once it is whole."""
        self._spawn(self._messages.hear(opened), "hear")

    def follow(self, room: LiveKitRoom, presence: RoomPresence, now_ns: int) -> None:
        """Let sources begin and end by who is in the room."""
        for source in self._sources:
            source.follow(room, now_ns, somebody_came=presence.somebody_came)

    def tick(self, now_ns: int) -> None:
        """Do what time asks for, and let the uploader know what is proven."""
        self._recorder.tick(now_ns)
        if self._proof.is_near(now_ns, self._tools.beats.next_ns):
            self._spool.ripe(self.clock.sample_at(now_ns))
        self._standstills.name(self._run.proven_ns)
        self._stamps.follow(self._run.state, now_ns)
        self._uploader.prove(self._run.proven_ns)

    def missing(self, one: Missing) -> None:
        """Note what is missing, for the reason that it seems to have."""
        code = self._standstills.blamed(one.code, one.from_ns, one.to_ns)
        start, end = self.clock.sample_at(one.from_ns), self.clock.sample_at(one.to_ns)
        self._recorder.gap(code, start, end, one.identity, lasts=one.lasts)

    def absence(self, from_ns: int, to_ns: int) -> None:
        """Note that nobody was in the room between two instants of the boot-time clock."""
        self._recorder.absence(self.clock.sample_at(from_ns), self.clock.sample_at(to_ns))

    async def finish(self, ending_at: datetime | None, beats: Beats, stopped_ns: int) -> RunSegments:
        """Drain and seal, prove the last stretch, upload everything that lies before the stop; what was stored."""
        self._standstills.name(stopped_ns, final=True)
        for source in self._sources:
            source.end(stopped_ns)
        self._participants.end()
        await self._spool.close()
        self._stamps.end_at(ending_at)
        if not self._run.replaced:
            beats.hurry()
            await self._run.proven_after(boottime_ns() if ending_at is None else stopped_ns)
        await self._stamps.follow_database(self._tools.db, self._run.fence)
        self._uploader.release_all()
        await self._uploader.drained()
        await asyncio.wait([self._telling], timeout=LAST_WORDS_SECONDS)
        self._run.leave()
        return RunSegments(self._spool.segments, self._uploader.journal.stored)

    async def clear(self) -> None:
        """The run is sealed: nothing on the disk is needed any more."""
        await asyncio.to_thread(self._folder.remove_if_empty)


def _cost_of_takeover(claim: Claim) -> str | None:
    """The code of what is missing between the run before and this one; None: this is the first."""
    if not claim.resumed:
        return None
    return "gap.rejoin" if claim.handed_over else "gap.worker_lost"
