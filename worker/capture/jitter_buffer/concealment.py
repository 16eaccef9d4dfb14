"""Where the jitter buffer filled holes with made-up audio, by readings of its counter. Pure."""

from dataclasses import dataclass, field

from audio.pcm import SAMPLE_RATE
from worker.capture.jitter_buffer.let_go import packets_let_go
from worker.room.room_reading import NOTHING_READ, TrackReading

_LEAST_SAMPLES = SAMPLE_RATE // 5  # within one reading; any network loses less than that
_MOST = 0.8  # of an interval that is shorter than that, if it is not shorter than this
_LEAST_OF_SHORT_SAMPLES = SAMPLE_RATE // 10
_LEAST_REST_SAMPLES = SAMPLE_RATE // 50  # of a hole that began before the interval
_LAG_SAMPLES = SAMPLE_RATE // 10
_ALL = 0.9  # of an interval: the counter lags by what is decoded at once
_LEAST_SETTLING_SAMPLES = SAMPLE_RATE // 25  # two packets


@dataclass(slots=True)
class ConcealmentWatch:
    """Turns readings of one track's counter into gaps. Positions are samples of the session's clock.

    The counter does not say where between two readings the samples lie. A loss that spans readings lies at the end of
    its first interval and at the start of its last one, so the samples are placed there.

    A muted microphone sends nothing, so that the jitter buffer makes up all of it (measured with a browser: 1.5 s of
    2.5 s); after the unmuting it goes on until the first packet has come. None of that is a gap.

    A jitter buffer that is new has not learned yet how unevenly packets come: in its first seconds it makes up 0.05 to
    0.2 s where the one before, which knew, made up nothing (measured on a busy machine). It also puts in and leaves out
    10 to 33 ms of each 0.15 s for the first second (measured), and lets go of packets that came before it began
    (`worker.capture.jitter_buffer.let_go`). Where these tear what another run recorded until then, little is a gap too.
    It lies in the middle of its interval, but what was let go right before what is played now.
    """

    _new: bool = field(default=True)  # not read yet
    _last: tuple[TrackReading, int] | None = field(default=None)  # and the position of the reading
    _was_concealing: bool = field(default=False)
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
        settles_since: int | None = None,
        packet_samples: int = SAMPLE_RATE // 50,
    ) -> tuple[int, int] | None:
        """Take a reading at `now_sample`; None: it can't be read.

        Args:
            settles_since: when the first frame came of a track that goes on and whose jitter buffer is new.
            packet_samples: of each packet.

        Returns the stretch [start, end) that was made up since the reading before, if any.
        """
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
        if settles_since is None or muted_samples:
            return found
        let_go = self._take_let_go(reading) * packet_samples
        torn = counted + max(reading.stretched_samples - last[0].stretched_samples, 0) + let_go
        if let_go and torn >= _LEAST_SETTLING_SAMPLES:
            start = max(now_sample - torn, settles_since)
            return (start if found is None else min(start, found[0])), now_sample
        return found or _settling(torn, max(last[1], settles_since), now_sample)

    def _take_let_go(self, reading: TrackReading) -> int:
        """How many packets the buffer let go since the last reading; more than are known to be doubles."""
        before, self._let_go = self._let_go, max(packets_let_go(reading), self._let_go)
        return self._let_go - before

    def _placed(self, counted: int, muted_samples: int, since: int, now_sample: int) -> tuple[int, int] | None:
        interval = now_sample - since - muted_samples
        made_up = min(counted - muted_samples, interval)
        if interval - made_up < min((1 - _ALL) * interval, _LAG_SAMPLES):
            made_up = interval
        went_on = self._was_concealing
        self._was_concealing = made_up >= min(_LEAST_SAMPLES, max(_MOST * interval, _LEAST_OF_SHORT_SAMPLES))
        if not self._was_concealing and not (went_on and made_up >= _LEAST_REST_SAMPLES):
            return None
        end = now_sample - muted_samples
        return (since, since + made_up) if went_on else (end - made_up, end)

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


def _settling(torn: int, since: int, until: int) -> tuple[int, int] | None:
    """In the middle, it lies no further from where it was than half of the rest."""
    if not _LEAST_SETTLING_SAMPLES <= torn < until - since:
        return None
    start = (since + until - torn) // 2
    return start, start + torn
