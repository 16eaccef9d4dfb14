"""Where the jitter buffer filled holes with made-up audio, by readings of its counter. Pure."""

from dataclasses import dataclass, field

from audio.pcm import SAMPLE_RATE
from audio.ranges import Range
from worker.capture.jitter_buffer.let_go import packets_let_go
from worker.room.room_reading import NOTHING_READ, TrackReading

_LEAST_SAMPLES = SAMPLE_RATE // 5  # within one reading: of a hole that may go on in the next one
_MOST = 0.8  # of an interval that is shorter than that, if it is not shorter than this
_LEAST_OF_SHORT_SAMPLES = SAMPLE_RATE // 10
_LEAST_REST_SAMPLES = SAMPLE_RATE // 50  # of a hole that began before the interval
_LAG_SAMPLES = SAMPLE_RATE // 10
_ALL = 0.9  # of an interval: the counter lags by what is decoded at once
_LEAST_TORN_SAMPLES = SAMPLE_RATE * 35 // 1000  # two packets; they were counted as 37 to 40 ms
_EDGE_SAMPLES = SAMPLE_RATE // 5  # a gap may begin so much too late and end so much too early
_AROUND_SAMPLES = SAMPLE_RATE * 8 // 100  # of a tenth of a second, the rest of which is torn


@dataclass(slots=True)
class ConcealmentWatch:
    """Turns readings of one track's counter into gaps. Positions are samples of the session's clock.

    The counter does not say where between two readings the samples lie. A loss that spans readings lies at the end of
    its first interval and at the start of its last one, so the samples are placed there. A small one is told by the
    next reading, if it is not the beginning of that: it lies in the middle of its interval. Each is so wide that the
    tenths of a second that were torn are no further from it than they may be: what two lost packets in a row tear is
    named, too.

    A muted microphone sends nothing, so that the jitter buffer makes up all of it (measured with a browser: 1.5 s of
    2.5 s); after the unmuting it goes on until the first packet has come. None of that is a gap.

    A jitter buffer that is new has not learned yet how unevenly packets come: in its first seconds it makes up 0.05 to
    0.2 s where the one before, which knew, made up nothing (measured on a busy machine). It also puts in and leaves out
    10 to 33 ms of each 0.15 s for the first second (measured), and lets go of packets that came before it began
    (`worker.capture.jitter_buffer.let_go`), right before what is played now. All of that tears what another run
    recorded until then.
    """

    _new: bool = field(default=True)  # not read yet
    _last: tuple[TrackReading, int] | None = field(default=None)  # and the position of the reading
    _was_concealing: bool = field(default=False)
    _torn: "_Torn | None" = field(default=None)  # in the last interval
    _muted_since: int | None = field(default=None)
    _muted_samples: int = field(default=0)  # since the last reading
    _unmuted: bool = field(default=False)  # since the last reading
    _packets_at_unmute: int | None = field(default=None)
    _let_go: int = field(default=0)  # packets

    def mute(self, muted: bool, now_sample: int) -> None:
        """The track was muted, or unmuted."""
        if muted and self._muted_since is None:
            self._muted_since = now_sample
        elif not muted and self._muted_since is not None:
            self._muted_samples += now_sample - self._muted_since
            self._muted_since = None
            self._unmuted = True

    def read(
        self,
        reading: TrackReading | None,
        now_sample: int,
        *,
        late: int = 0,
        settles_since: int | None = None,
        packet_samples: int = SAMPLE_RATE // 50,
    ) -> list[Range]:
        """Take a reading at `now_sample`; None: it can't be read.

        Args:
            late: by how many samples what is played now lies before `now_sample`.
            settles_since: when the first frame came of a track that goes on and whose jitter buffer is new.
            packet_samples: of each packet.

        Returns the stretches [start, end) that were made up, of this interval and of the one before.
        """
        torn = self._torn
        found = self._found(reading, now_sample, late, settles_since, packet_samples)
        goes_on = found is not None and torn is not None and found[0] == torn.until
        told = [] if torn is None else [torn.at_the_end if goes_on else torn.in_the_middle]
        return told if found is None else [*told, (found[0] - late, found[1] - late)]

    def give_up(self) -> list[Range]:
        """There will be no further reading: what was made up and is not told."""
        torn, self._torn = self._torn, None
        return [] if torn is None else [torn.in_the_middle]

    def _found(
        self,
        reading: TrackReading | None,
        now_sample: int,
        late: int,
        settles_since: int | None,
        packet_samples: int,
    ) -> Range | None:
        """A stretch of this interval; a small one is kept."""
        self._torn = None
        muted_samples = self._take_muted(now_sample)
        settled = self._take_settled(reading)
        if reading is None:
            self._last, self._was_concealing = None, False
            return None
        last, self._last = self._last, (reading, now_sample)
        if last is None and self._new and settles_since is not None:
            last = (NOTHING_READ, settles_since)
        self._new = False
        if last is None or reading.concealed_samples < last[0].concealed_samples or not settled:
            self._was_concealing = False
            return None
        counted = reading.concealed_samples - last[0].concealed_samples
        found = self._placed(counted, muted_samples, last[1], now_sample)
        if muted_samples:
            return found
        since = last[1]
        if settles_since is not None:
            let_go = self._take_let_go(reading) * packet_samples
            counted += max(reading.stretched_samples - last[0].stretched_samples, 0) + let_go
            if let_go and counted >= _LEAST_TORN_SAMPLES:
                start = max(now_sample - counted, settles_since)
                return (start if found is None else min(start, found[0])), now_sample
            since = max(since, settles_since)
        if found is None and _LEAST_TORN_SAMPLES <= counted < now_sample - since:
            self._torn = _Torn(counted, since, now_sample, late)
        return found

    def _take_let_go(self, reading: TrackReading) -> int:
        """How many packets the buffer let go since the last reading; more than are known to be doubles."""
        before, self._let_go = self._let_go, max(packets_let_go(reading), self._let_go)
        return self._let_go - before

    def _placed(self, counted: int, muted_samples: int, since: int, now_sample: int) -> Range | None:
        interval = now_sample - since - muted_samples
        made_up = min(counted - muted_samples, interval)
        if interval - made_up < min((1 - _ALL) * interval, _LAG_SAMPLES):
            made_up = interval
        went_on = self._was_concealing
        self._was_concealing = made_up >= min(_LEAST_SAMPLES, max(_MOST * interval, _LEAST_OF_SHORT_SAMPLES))
        if not self._was_concealing and not (went_on and made_up >= _LEAST_REST_SAMPLES):
            return None
        if went_on:
            return since, since + made_up
        end = now_sample - muted_samples
        return end - max(made_up, min(interval - _EDGE_SAMPLES + _AROUND_SAMPLES, 2 * _EDGE_SAMPLES)), end

    def _take_muted(self, now_sample: int) -> int:
        muted, self._muted_samples = self._muted_samples, 0
        if self._muted_since is not None:
            muted += max(now_sample - self._muted_since, 0)
            self._muted_since = max(now_sample, self._muted_since)
        return muted

    def _take_settled(self, reading: TrackReading | None) -> bool:
        """Whether packets have come since the track was unmuted, before this interval."""
        if self._unmuted:
            self._unmuted = False
            self._packets_at_unmute = -1 if reading is None else reading.packets
            return False
        if self._packets_at_unmute is not None:
            if reading is not None and reading.packets > self._packets_at_unmute:
                self._packets_at_unmute = None
            return False
        return True


@dataclass(frozen=True, slots=True)
class _Torn:
    """So many samples of the interval [since, until), and how late it was then."""

    samples: int
    since: int
    until: int
    late: int

    @property
    def in_the_middle(self) -> Range:
        """With what may be true around it."""
        feared = self.until - self.since - 2 * (_EDGE_SAMPLES - _AROUND_SAMPLES)
        wide = max(self.samples, min(feared, 2 * _EDGE_SAMPLES))
        start = (self.since + self.until - wide) // 2 - self.late
        return start, start + wide

    @property
    def at_the_end(self) -> Range:
        """Where it begins what goes on in the next interval."""
        return self.until - self.samples - self.late, self.until - self.late
