"""How late a track's audio comes out of its jitter buffer, by readings of the receiver's counters. Pure.

Two figures say it. The *waiting* is how long recent samples were in the buffer. It is exact, but counts from a packet's
arrival: when packets were held up on their way and came all at once, it does not say for how long. The *backlog* is
what was received and is not played yet. It is the whole delay even then, as each packet holds so many milliseconds; but
it is a difference of counters, which lost packets and doubles disturb. (A *double* is a redundant copy of a packet, as
RED sends them (RFC 2198); the receiver discards it.) So the waiting corrects the backlog for as long as both agree.
Where the backlog is larger, as after a burst, it alone is believed. It is also believed right after a standstill of
this process, during which the buffer's content went on waiting. Measured with livekit 1.2.1 and slots of 100 ms: the
backlog gave 1.5 s of delay to 20 ms, after a process was stopped and after a server was stopped.

A silent sender sends next to nothing (DTX). Then the buffer is empty and there is no backlog, although what is said
next will wait as long as before: only the waiting tells the delay, and neither figure corrects the other.
"""

from dataclasses import dataclass, field

from audio.pcm import SAMPLE_RATE
from store.database.boot_clock import SECOND_NS
from worker.capture.jitter_buffer.packet_tally import PacketTally
from worker.room.room_reading import NOTHING_READ, TrackReading

_BURST_SAMPLES = 3 * SAMPLE_RATE // 50  # only after a burst does the backlog exceed the waiting by more than this
_MOST_PACKETS = 200  # that a buffer holds: it lets go of them all when one more comes
_TREND_NS = SECOND_NS // 2  # the delay's slope is taken over this time, as counters go in steps of a packet
_STEADY = 0.06  # samples of delay per sample of time: a smaller slope is none
_STEEPEST = 0.6  # no buffer stretches or compresses by more
_FED_SHARE = 0.8  # of the time between two readings; with fewer packets a buffer runs dry, and its delay stays
_PLAYED_SHARE = 0.5  # of the time between two readings; if less was played, the sender was silent
_AHEAD_SAMPLES = SAMPLE_RATE // 2  # the slope is believed for so long after a reading
_TELLING_SAMPLES = SAMPLE_RATE // 4  # so long after a burst the waiting shows whether there was one
_LONGEST_NS = SECOND_NS  # readings that lie further apart mean that this process stood still
_AFTER_NS = 3 * SECOND_NS // 10  # what is played so shortly after a standstill may have waited through it


@dataclass(frozen=True, slots=True)
class _Span:
    """What two readings say of the time between them, in samples.

    Attributes:
        waited: how long each sample that was played then had been in the buffer, on average.
        counted: the backlog at the end, plus an unknown constant.
        meanwhile: the same in the middle, which is the time that `waited` speaks of.
        silent: the sender sent next to nothing.
    """

    since: TrackReading
    until: TrackReading
    waited: float
    counted: int
    meanwhile: float
    silent: bool

    @classmethod
    def between(
        cls, since: TrackReading, until: TrackReading, before: int, counted: int, passed_samples: float
    ) -> "_Span":
        """`before` is `counted` at the beginning. Some samples must have been played in between."""
        emitted = until.emitted_samples - since.emitted_samples
        return cls(
            since,
            until,
            waited=(until.waited_seconds - since.waited_seconds) / emitted * SAMPLE_RATE,
            counted=counted,
            meanwhile=(counted + before) / 2,
            silent=emitted < _PLAYED_SHARE * passed_samples,
        )


@dataclass(slots=True)
class BufferDelay:
    """Follows one track's receiver. Delays are samples at 48 kHz, instants boot-time nanoseconds.

    Args:
        all_playable: every packet can be played; False for an encrypted track, of which some may not be deciphered.

    Attributes:
        packets: how much audio the receiver's packets hold.
    """

    all_playable: bool = field(default=True)
    packets: PacketTally = field(init=False, default_factory=PacketTally)
    _last: TrackReading | None = field(init=False, default=None)
    _delay: float | None = field(init=False, default=None)  # at `_known_ns`
    _waited: float | None = field(init=False, default=None)  # how long the samples that were played last had waited
    _known_ns: int = field(init=False, default=0)
    _last_ns: int = field(init=False, default=0)  # of the last reading
    _woke_ns: int = field(init=False, default=0)  # the last time that this process went on after a standstill
    _slope: float = field(init=False, default=0.0)
    _trend: list[tuple[int, int]] = field(init=False, default_factory=list)  # (instant, counted) of the last readings
    _set: float | None = field(init=False, default=None)  # `unplayed_samples` without a backlog; None: not known yet
    _burst_ns: int | None = field(init=False, default=None)  # since when the backlog alone is believed; None: it is not
    _told: bool = field(init=False, default=True)  # the waiting has confirmed that the backlog is one
    _forgotten: bool = field(init=False, default=False)  # the next reading begins the count anew

    @property
    def behind_burst(self) -> bool:
        """Whether what is played now was held up on its way."""
        return self._burst_ns is not None

    @property
    def unsure(self) -> bool:
        """Whether it is not known yet if the backlog waits in the buffer or can never be played; readings will tell."""
        return self.behind_burst and not self._told

    @property
    def changing(self) -> bool:
        """Whether the delay is changing, or about to."""
        return self.behind_burst or self._slope != 0

    def at(self, now_ns: int) -> int | None:
        """The delay of what is played at this instant; None: nothing is known yet."""
        if self._delay is None:
            return None
        ahead = min(max((now_ns - self._known_ns) * SAMPLE_RATE / SECOND_NS, 0.0), _AHEAD_SAMPLES)
        return min(max(round(self._delay + self._slope * ahead), 0), _MOST_PACKETS * self.packets.packet_samples)

    def stood_still(self, woke_ns: int) -> None:
        """This process stood still until this instant."""
        self._woke_ns = woke_ns

    def forget_backlog(self) -> None:
        """Begin the backlog anew with the next reading, because some of what was received will never be played."""
        self._hold()
        self._delay = self._waited
        self._set = self._burst_ns = None
        self.packets.doubt(self._last)
        self._forgotten = True

    def read(self, reading: TrackReading | None, now_ns: int) -> None:
        """Take a reading; None: there was no answer, and what was known stays."""
        last, self._last = self._last, reading
        last_ns, self._last_ns = self._last_ns, now_ns
        if reading is None:
            return
        if last is None or reading.emitted_samples < last.emitted_samples:
            self._begin_anew()
            last = NOTHING_READ
        if self.packets.measure(reading):
            self.forget_backlog()
        before = self.packets.unplayed_samples(last)
        self.packets.follow_discarded(last, reading)
        if reading.emitted_samples == last.emitted_samples:
            self._hold()
            return
        passed = (now_ns - last_ns) * SAMPLE_RATE / SECOND_NS if last is not NOTHING_READ else 0.0
        span = _Span.between(last, reading, before, self.packets.unplayed_samples(reading), passed)
        self._waited, self._known_ns = span.waited, now_ns
        if span.silent or self.packets.kept_samples(last, reading) < _FED_SHARE * passed:
            self._hold()
        else:
            self._follow_trend(span.counted, now_ns)
        stood_still = now_ns - last_ns > _LONGEST_NS or last_ns < self._woke_ns + _AFTER_NS
        if self._set is not None and stood_still:
            self._go_on_behind_standstill(span, self._set, now_ns)
        elif self._set is not None and self._is_behind_burst(span, self._set, now_ns):
            self._delay = span.waited if self.unsure else span.counted - self._set
            self.packets.learn_from(reading)
        else:
            self._follow_waiting(span)

    def _begin_anew(self) -> None:
        """Forget the counters of a receiver that was replaced: those of the new one begin at 0."""
        self._set = self._burst_ns = None
        self.packets.begin_anew()
        self._trend.clear()

    def _go_on_behind_standstill(self, span: _Span, at_rest: float, now_ns: int) -> None:
        """Take the backlog alone: what lay in the buffer has waited through the standstill."""
        self._delay = span.counted - at_rest
        self.packets.learn_from(span.until)
        if self._delay > span.waited + _BURST_SAMPLES:
            self._burst_ns, self._told = self._burst_ns or now_ns, self.all_playable

    def _is_behind_burst(self, span: _Span, at_rest: float, now_ns: int) -> bool:
        late = span.meanwhile - at_rest - span.waited > _BURST_SAMPLES
        return late and self._believable(span.counted - at_rest, span.waited, now_ns)

    def _follow_waiting(self, span: _Span) -> None:
        """Take the delay from the waiting, with which the backlog agrees, and correct the backlog by it."""
        self._burst_ns = None
        self._delay = span.waited + (span.counted - span.meanwhile if self._slope else 0.0)
        if self._slope:
            self.packets.learn_from(span.until)
        elif self.packets.learn(span.until):
            self._set = None
            self._trend.clear()
            return
        if span.silent:
            return
        begins = self._forgotten or span.since is NOTHING_READ
        self._set, self._forgotten = (span.counted if begins else span.meanwhile) - span.waited, False

    def _hold(self) -> None:
        """Take the delay as constant until readings show another slope."""
        self._slope = 0.0
        self._trend.clear()

    def _follow_trend(self, counted: int, now_ns: int) -> None:
        self._trend.append((now_ns, counted))
        while len(self._trend) > 2 and now_ns - self._trend[1][0] >= _TREND_NS:
            del self._trend[0]
        since_ns, then = self._trend[0]
        slope = (counted - then) / SAMPLE_RATE / max((now_ns - since_ns) / SECOND_NS, 0.1)
        self._slope = slope if _STEADY < abs(slope) < _STEEPEST else 0.0

    def _believable(self, backlog: float, waited: float, now_ns: int) -> bool:
        """Whether the backlog can be one: it is played within its own length; one that lasts longer is a wrong count.

        Where packets may be undecipherable, a backlog behind which nothing waits is a wrong count, too.
        """
        if self._burst_ns is None:
            self._burst_ns, self._told = now_ns, self.all_playable
        passed = (now_ns - self._burst_ns) / SECOND_NS * SAMPLE_RATE
        if not self.all_playable and passed >= _TELLING_SAMPLES:
            self._told = True
            if waited < min(backlog, passed) / 2:
                return False
        return passed <= backlog + SAMPLE_RATE
