"""One run's recorder: it takes frames of tracks and puts records into the spool, on the event loop, never waiting."""

from collections.abc import Callable, Mapping
from datetime import datetime

from audio.levels import FLOOR_DBFS, peak_dbfs
from audio.pcm import SAMPLE_RATE, SAMPLES_PER_FRAME, Pcm
from audio.placing.timeline import Placed
from audio.ranges import Range, kept_ranges
from audio.segments.track_tally import TrackLabel
from audio.sine import sine_block
from worker.capture.jitter_buffer.deciphering import DecipheringWatch
from worker.capture.room_track import RoomTrack, TrackNews
from worker.clock.pause_ranges import overlaps
from worker.clock.session_clock import SessionClock
from worker.lease.live_run import Counters
from worker.room.events import RemoteTrack
from worker.room.missing.heard_track import HeardTrack, MadeUp
from worker.room.missing.late_talkers import LateTalkers
from worker.room.missing.wanted_track import GAP_ENCRYPTED
from worker.room.room_reading import TrackReading
from worker.room.stream_events import AUDIO_STREAM
from worker.spool.run_spool import RunSpool

_CHANGING_SECONDS = 0.15  # between two readings while a track's delay changes
_LATE_SECONDS = 5  # somebody who is heard later than this after a takeover was not missing because of it
_MOST_SINE_SAMPLES = 10 * SAMPLE_RATE  # in one record; a loop that stood still has much to catch up


class Recorder:
    """Places what arrives on the session's clock and appends it to the spool.

    Args:
        hurry: asks for a reading of the room within so many seconds.
        takeover: the code of the gap between the run before and this one; None: this is the session's first run.
    """

    def __init__(
        self, clock: SessionClock, spool: RunSpool, hurry: Callable[[float], None], *, takeover: str | None = None
    ) -> None:
        self._hurry = hurry
        self._takeover = takeover
        self._late = LateTalkers(SAMPLE_RATE, _LATE_SECONDS)
        self._in_taken_over_room = takeover is not None  # until the room is lost: the next one has gaps of its own
        self._awaited: set[str] = set()  # sids of tracks that were there at the takeover and are not heard yet
        self._ended: set[str] = set()  # sids of tracks that were heard; each may be subscribed anew
        self._cut_off: set[str] = set()  # identities of those who were heard in the room that was lost
        self._made_up: list[MadeUp] = []  # not handed out yet
        self._received_samples = 0  # over all tracks
        self._first_frame_at: datetime | None = None
        self._clock = clock
        self._spool = spool
        self._tracks: dict[str, RoomTrack] = {}
        self._numbers = 0
        self._peak_dbfs = FLOOR_DBFS
        self._sine_number: int | None = None
        self._sine_sample = 0
        self._cuts: tuple[Range, ...] = ()

    @property
    def heard(self) -> list[HeardTrack]:
        """The tracks that are being recorded and have delivered frames."""
        return [heard for track in self._tracks.values() if (heard := track.heard) is not None]

    def take_counters(self) -> Counters:
        """What was received so far, over all tracks; `peak_dbfs` is the peak since the last call."""
        peak, self._peak_dbfs = self._peak_dbfs, FLOOR_DBFS
        return Counters(
            frames=self._received_samples // SAMPLES_PER_FRAME,
            audio_ms=self._received_samples * 1000 // SAMPLE_RATE,
            peak_dbfs=peak,
            first_frame_at=self._first_frame_at,
        )

    def open_track(self, remote: RemoteTrack) -> Callable[[int, Pcm], None]:
        """Begin a track; returns what takes its frames: (arrival in boot-time nanoseconds, samples of shape (n,))."""
        self.close_track(remote.sid)
        number = self._next_number()
        self._spool.add_track(number, TrackLabel(remote.identity, remote.name, remote.sid, speaker=remote.speaker))
        taken_over = remote.at_join and self._in_taken_over_room
        back = remote.sid in self._ended or (remote.at_join and remote.identity in self._cut_off)
        track = RoomTrack(
            number,
            remote.sid,
            remote.identity,
            self._clock,
            lambda: self._hurry(0),
            goes_on=taken_over or back,
            deciphering=DecipheringWatch() if remote.encrypted else None,
        )
        if taken_over:
            self._awaited.add(remote.sid)
        self._tracks[remote.sid] = track

        def append(arrival_ns: int, pcm: Pcm) -> None:
            self._append(track, arrival_ns, pcm)

        return append

    def close_track(self, sid: str) -> None:
        """End a track, and write what its timeline holds back."""
        track = self._tracks.pop(sid, None)
        if track is not None:
            if track.heard is not None:
                self._ended.add(sid)
            self._take(track, track.close())

    def close_tracks(self) -> None:
        """End all tracks: the room is left, or lost."""
        self._in_taken_over_room = False
        self._cut_off |= {heard.identity for heard in self.heard}
        for sid in list(self._tracks):
            self.close_track(sid)

    def open_player(self, identity: str) -> int:
        """Begin a track for what is played of a participant's streams; returns its number for `play`."""
        number = self._next_number()
        self._spool.add_track(number, TrackLabel(identity, name=AUDIO_STREAM, sid=AUDIO_STREAM))
        return number

    def play(self, number: int, placed: Placed) -> None:
        """Record what was played; a player has placed it already."""
        kept = self._keep(number, placed)
        if kept == 0:
            return
        self._note_frame(self._clock.boottime_of(placed.start_sample))
        self._received_samples += kept
        self._peak_dbfs = max(self._peak_dbfs, peak_dbfs(placed.pcm))

    def leave_out(self, cuts: tuple[Range, ...]) -> None:
        """Keep nothing of these stretches; the open segment is sealed, so that what it holds of them can be erased."""
        if cuts != self._cuts:
            self._cuts = cuts
            self._spool.seal()

    def gap(
        self, code: str, start_sample: int, end_sample: int, identity: str | None = None, *, lasts: bool = False
    ) -> None:
        """Note that [start, end) holds no true audio, of one participant or of any; `lasts`: nor will what follows."""
        if start_sample == end_sample and not overlaps(start_sample, start_sample + 1, self._cuts):
            self._spool.gap(code, start_sample, end_sample, identity, lasts=lasts)  # says that one begins, or has ended
        for start, end in kept_ranges(start_sample, end_sample, self._cuts):
            self._spool.gap(code, start, end, identity, lasts=lasts and end == end_sample)

    def absence(self, start_sample: int, end_sample: int) -> None:
        """Note that nobody was in the room for [start, end)."""
        for start, end in kept_ranges(start_sample, end_sample, self._cuts):
            self._spool.absence(start, end)

    def mute(self, sid: str, muted: bool, now_ns: int) -> None:
        """A track was muted, or unmuted."""
        if (track := self._tracks.get(sid)) is not None:
            track.mute(muted, now_ns)

    def read(self, readings: Mapping[str, TrackReading], asked_ns: int) -> list[MadeUp]:
        """Take a reading of every track (by sid) that was asked for at `asked_ns`; what was made up since."""
        for sid, track in self._tracks.items():
            self._take(track, track.read(readings.get(sid), asked_ns))
        if any(track.changing for track in self._tracks.values()):
            self._hurry(_CHANGING_SECONDS)
        return self._take_made_up()

    def deciphered(self, identity: str, now_ns: int) -> None:
        """The key has opened the encrypted tracks of a participant."""
        for track in self._tracks.values():
            if track.identity == identity and track.deciphering is not None:
                track.deciphering.deciphered(now_ns)

    def give_up(self, now_ns: int) -> list[MadeUp]:
        """The stretches that nothing will fill any more, when the end comes now."""
        for track in self._tracks.values():
            self._note_made_up(track, track.give_up(now_ns))
        return self._take_made_up()

    def _note_made_up(self, track: RoomTrack, ranges: list[Range]) -> None:
        at = self._clock.boottime_of
        self._made_up += [MadeUp(at(start), at(end), track.identity) for start, end in ranges]

    def _take_made_up(self) -> list[MadeUp]:
        made_up, self._made_up = self._made_up, []
        return made_up

    def missed(self, from_ns: int, to_ns: int) -> tuple[int, int] | None:
        """What no track has true audio of, after a standstill of this process between these instants.

        None: not known yet. What a single one lacks beyond that it has told by itself.
        """
        found = [track.missed(from_ns, to_ns) for track in self._tracks.values() if track.heard is not None]
        known = [one for one in found if one is not None]
        if len(known) < len(found):
            return None
        start_ns = max((one[0] for one in known), default=from_ns)
        return start_ns, max(min((one[1] for one in known), default=to_ns), start_ns)

    def start_sine(self, start_sample: int) -> None:
        """Let the synthetic input begin; it is written by `tick` up to the present."""
        self._sine_number = self._next_number()
        self._sine_sample = max(start_sample, 0)
        self._spool.add_track(self._sine_number, TrackLabel(name="synthetic", sid="synthetic", side="worker"))

    def stop_sine(self, now_ns: int) -> None:
        """End the synthetic input at this instant."""
        self._write_sine(now_ns)
        self._sine_number = None

    def tick(self, now_ns: int) -> None:
        """Do what is due: write held frames whose window is over, write the sine, seal a segment that is old enough."""
        now_sample = self._clock.sample_at(now_ns)
        for track in self._tracks.values():
            self._write(track, track.tick(now_ns))
        self._write_sine(now_ns)
        self._spool.rotate(now_sample)
        self._spool.watch()

    def _append(self, track: RoomTrack, arrival_ns: int, pcm: Pcm) -> None:
        if track.closed:
            return
        if not track.is_clear(arrival_ns, len(pcm)):
            return
        self._note_frame(arrival_ns)
        arrival_sample = self._clock.sample_at(arrival_ns)
        if not self._cuts or not overlaps(arrival_sample - 1, arrival_sample, self._cuts):
            self._received_samples += len(pcm)
            self._peak_dbfs = max(self._peak_dbfs, peak_dbfs(pcm))
        self._write(track, track.push(arrival_ns, pcm))

    def _hear_first(self, track: RoomTrack, start_sample: int) -> None:
        """The first frame after a takeover."""
        self._awaited.discard(track.sid)
        missing = self._late.first_frame(start_sample)
        if missing is not None and self._takeover is not None:
            self.gap(self._takeover, *missing, track.identity)

    def _take(self, track: RoomTrack, news: TrackNews) -> None:
        self._write(track, news.placed)
        self._note_made_up(track, news.made_up)
        if news.undeciphered is not None:
            self.gap(GAP_ENCRYPTED, *news.undeciphered, track.identity)

    def _note_frame(self, arrival_ns: int) -> None:
        if self._first_frame_at is None:
            self._first_frame_at = self._clock.time_of(arrival_ns)

    def _write(self, track: RoomTrack, placed: list[Placed]) -> None:
        if placed and track.sid in self._awaited:
            self._hear_first(track, placed[0].start_sample)
        for one in placed:
            self._keep(track.number, one)

    def _keep(self, number: int, placed: Placed) -> int:
        """Write what lies in no pause; returns how many samples that was."""
        if not self._cuts:
            self._spool.audio(number, placed)
            return len(placed.pcm)
        first, kept = placed.start_sample, 0
        for start, end in kept_ranges(first, first + len(placed.pcm), self._cuts):
            self._spool.audio(number, Placed(start, placed.arrival_sample, placed.pcm[start - first : end - first]))
            kept += end - start
        return kept

    def _write_sine(self, now_ns: int) -> None:
        now_sample = self._clock.sample_at(now_ns)
        while self._sine_number is not None and self._sine_sample < now_sample:
            count = min(now_sample - self._sine_sample, _MOST_SINE_SAMPLES)
            block = sine_block(self._sine_sample, count)
            self._keep(self._sine_number, Placed(self._sine_sample, now_sample, block))
            self._sine_sample += count

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers
