"""Where the jitter buffer filled holes with made-up audio, by readings of its counter. Pure."""

from dataclasses import dataclass, field

from audio.pcm import SAMPLE_RATE

_LEAST_SAMPLES = SAMPLE_RATE // 5  # within one reading; any network loses less than that


@dataclass(slots=True)
class ConcealmentWatch:
    """Turns readings of one track's `concealed_samples` into gaps.

    The counter does not say where between two readings the samples lie. A loss that spans readings lies at the end of
    its first interval and at the start of its last one, so the samples are placed there.
    """

    _last: tuple[int, int] | None = field(default=None)  # samples so far, position of the reading
    _was_concealing: bool = field(default=False)

    def read(self, total: int | None, now_sample: int) -> tuple[int, int] | None:
        """Take a reading at `now_sample`; `total` is None while the track is muted or can't be read.

        Returns the stretch [start, end) that was made up since the reading before, if any.
        """
        if total is None:
            self._last, self._was_concealing = None, False
            return None
        last, self._last = self._last, (total, now_sample)
        if last is None or total < last[0]:
            return None
        made_up, since = min(total - last[0], now_sample - last[1]), last[1]
        went_on, self._was_concealing = self._was_concealing, made_up >= _LEAST_SAMPLES
        if made_up < _LEAST_SAMPLES:
            return None
        return (since, since + made_up) if went_on else (now_sample - made_up, now_sample)
