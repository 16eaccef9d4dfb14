"""Where the jitter buffer filled holes with made-up audio, by readings of its counter. Pure."""

from dataclasses import dataclass, field

from audio.pcm import SAMPLE_RATE
from audio.ranges import Range
from worker.capture.jitter_buffer.let_go import packets_let_go
from worker.capture.jitter_buffer.muting import Muting
from worker.capture.jitter_buffer.torn import AROUND_SAMPLES, EDGE_SAMPLES, LEAST_TORN_SAMPLES, Torn
from worker.room.room_reading import NOTHING_READ, TrackReading

_TEARS_FROM_SAMPLES = SAMPLE_RATE * 12 // 100  # behind its first frame; until here the takeover's own gap is enough
_TEARS_TO_SAMPLES = SAMPLE_RATE * 3 // 10  # between these two a new jitter buffer tears what it stretches …
_LEAST_THEN_SAMPLES = SAMPLE_RATE * 12 // 1000  # … if that is so much between two readings
_SLOT_SAMPLES = SAMPLE_RATE // 10  # of speech: what is torn is told of whole tenths of a second
_LEAST_SAMPLES = SAMPLE_RATE // 5  # a hole of so much within one interval may go on in the next one
_MOST = 0.8  # in an interval that is shorter than that, this share of it is enough …
_LEAST_OF_SHORT_SAMPLES = SAMPLE_RATE // 10  # … if it is at least so much
_LEAST_REST_SAMPLES = SAMPLE_RATE // 50  # the least rest of a hole that began in the interval before
_LAG_SAMPLES = SAMPLE_RATE // 10  # the counter lags by what is decoded at once, at most so much …
_ALL = 0.9  # … so an interval counts as made up throughout when this share of it was


@dataclass(frozen=True, slots=True)
class _Interval:
    """[since, until) between two readings; for how many samples the track was `muted`, and how `late` its audio was."""

    before: TrackReading
    after: TrackReading
    since: int
    until: int
    muted: int
    late: int

    @property
    def concealed(self) -> int:
        return self.after.concealed_samples - self.before.concealed_samples

    @property
    def stretched(self) -> int:
        return max(self.after.stretched_samples - self.before.stretched_samples, 0)


@dataclass(slots=True)
class ConcealmentWatch:
    """Turns readings of one track's counter into gaps. Positions are samples of the session's clock.

    The counter does not say where between two readings the samples lie. A loss that spans readings must lie at the end
    of its first interval and at the start of its last one, so it is placed there. A small loss is handed out with the
    next reading, when it is clear that no longer one began with it, and its gap lies in the middle of its interval.
    Each gap is so wide that every torn tenth of a second lies in it or within `EDGE_SAMPLES` of it; two lost packets in
    a row are enough for a gap, also if a reading comes between them. What was made up while the track was muted is no
    gap (`Muting`).

    A new jitter buffer has not learned yet how unevenly packets come: in its first seconds it makes up 0.05 to 0.2 s
    where the one before, which had learned it, made up nothing (measured on a busy machine). For the first second it
    also puts in or leaves out 10 to 33 ms of each 0.15 s, which can tear a tenth of a second 0.12 to 0.4 s behind the
    first frame (20 of 389 takeovers, measured; none later). And it discards packets that came before it began to play
    (`worker.capture.jitter_buffer.let_go`), right before what is played now. All of that tears what was heard through
    another jitter buffer until then: by another run, in a room that was lost, or in an earlier subscription.
    """

    _new: bool = field(default=True)  # no reading was taken yet
    _last: tuple[TrackReading, int] | None = field(default=None)  # the last reading, and its position
    _was_concealing: bool = field(default=False)
    _torn: Torn | None = field(default=None)  # a small loss of the last interval, not handed out yet
    _made_up: int = field(default=0)  # samples of the last interval, if they are not in a gap that goes on
    _muting: Muting = field(default_factory=Muting)
    _let_go: int = field(default=0)  # packets that a new buffer has discarded so far

    def mute(self, muted: bool, now_sample: int) -> None:
        """The track was muted, or unmuted."""
        self._muting.mute(muted, now_sample)

    def read(
        self,
        reading: TrackReading | None,
        now_sample: int,
        *,
        late: int = 0,
        settles_since: int | None = None,
        packet_samples: int = SAMPLE_RATE // 50,
    ) -> list[Range]:
        """Take a reading at `now_sample`; None: there was no answer.

        Args:
            late: by how many samples the audio that is played now belongs before `now_sample`.
            settles_since: the position of the first frame, if the jitter buffer is new and the talker was heard through
                another one until then; else None.
            packet_samples: the length of each packet.

        Returns the stretches [start, end) that were made up, of this interval and of the one before.
        """
        torn, self._torn = self._torn, None
        before, self._made_up = self._made_up, 0
        interval = self._interval(reading, now_sample, late, settles_since)
        found = None
        if interval is None:
            self._was_concealing = False
        else:
            found = self._found(interval, before, settles_since, packet_samples)
        goes_on = found is not None and torn is not None and found[0] == torn.until
        told = [] if torn is None else [torn.at_the_end if goes_on else torn.in_the_middle]
        return told if found is None else [*told, (found[0] - late, found[1] - late)]

    def give_up(self) -> list[Range]:
        """Return what was made up and not handed out yet: there will be no further reading."""
        torn, self._torn = self._torn, None
        return [] if torn is None else [torn.in_the_middle]

    def _interval(
        self, reading: TrackReading | None, now_sample: int, late: int, settles_since: int | None
    ) -> _Interval | None:
        """The interval since the last reading; None where nothing can be said of it."""
        muted = self._muting.take_samples(now_sample)
        settled = self._muting.take_settled(reading)
        if reading is None:
            self._last = None
            return None
        last, self._last = self._last, (reading, now_sample)
        if last is None and self._new and settles_since is not None:
            last = (NOTHING_READ, settles_since)
        self._new = False
        if last is None or not settled:
            return None
        interval = _Interval(last[0], reading, last[1], now_sample, muted, late)
        return interval if interval.concealed >= 0 else None

    def _found(self, interval: _Interval, before: int, settles_since: int | None, packet_samples: int) -> Range | None:
        """The stretch that was made up in this interval; a small loss is kept in `_torn` instead.

        Args:
            before: how many samples were made up in the interval before; they may be the same loss.
        """
        found = self._placed(interval)
        if interval.muted:
            return found
        torn, since, least = interval.concealed, interval.since, LEAST_TORN_SAMPLES
        if settles_since is not None:
            let_go = self._take_let_go(interval.after, packet_samples) * packet_samples
            torn += interval.stretched + let_go
            if let_go and torn >= LEAST_TORN_SAMPLES:
                start = max(interval.until - torn, settles_since)
                return (start if found is None else min(start, found[0])), interval.until
            since = max(since, settles_since)
            if since <= settles_since + _TEARS_TO_SAMPLES and interval.until > settles_since + _TEARS_FROM_SAMPLES:
                least = _LEAST_THEN_SAMPLES
        if found is not None:
            return _reaching_back(found, since, interval.until) if before else found
        if torn < interval.until - since:
            self._note_small(interval, since, torn, before, least)
        return None

    def _note_small(self, interval: _Interval, since: int, torn: int, before: int, least: int) -> None:
        """Keep what does not fill its interval; together with what lies right before it, where that makes it enough."""
        self._made_up = interval.concealed
        around = min(before, LEAST_TORN_SAMPLES) + interval.concealed
        if torn >= least:
            self._torn = Torn(torn, since - before, interval.until, interval.late)
        elif interval.concealed and around >= LEAST_TORN_SAMPLES:
            until = since + interval.concealed
            self._torn = Torn(around, until - around, until, interval.late)

    def _take_let_go(self, reading: TrackReading, packet_samples: int) -> int:
        """How many packets, doubles left out, the new buffer has discarded since the last reading."""
        before, self._let_go = self._let_go, max(packets_let_go(reading, packet_samples), self._let_go)
        return self._let_go - before

    def _placed(self, interval: _Interval) -> Range | None:
        heard = interval.until - interval.since - interval.muted
        made_up = min(interval.concealed - interval.muted, heard)
        if heard - made_up < min((1 - _ALL) * heard, _LAG_SAMPLES):
            made_up = heard
        went_on = self._was_concealing
        self._was_concealing = made_up >= min(_LEAST_SAMPLES, max(_MOST * heard, _LEAST_OF_SHORT_SAMPLES))
        if not self._was_concealing and not (went_on and made_up >= _LEAST_REST_SAMPLES):
            return None
        if went_on:
            return interval.since, interval.since + made_up
        end = interval.until - interval.muted
        return end - max(made_up, min(heard - EDGE_SAMPLES + AROUND_SAMPLES, 2 * EDGE_SAMPLES)), end


def _reaching_back(found: Range, since: int, until: int) -> Range:
    """What was made up in [since, until), from where it may have begun on: right behind what was made up before."""
    is_short = until - since <= 2 * EDGE_SAMPLES
    return min(found[0], since if is_short else since + EDGE_SAMPLES - _SLOT_SAMPLES), found[1]
