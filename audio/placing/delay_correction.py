"""Takes back what a changing delay does to a track's time: a growing delay stretches it, a shrinking one compresses it.

A jitter buffer whose delay grows plays every word later than the one before, by up to seconds, and makes speech longer;
one whose delay shrinks makes it shorter. The delay says by how much, so frames get the length that was spoken.

A new jitter buffer stretches 10 to 33 ms of each 0.15 s in its first second (measured). Taken back at once when it is
noticed, that would cut up to 87 ms out of one frame, with the speech in it (seen). So a little is taken back per frame.
"""

from dataclasses import dataclass

from audio.pcm import SAMPLE_RATE, Pcm
from audio.placing.splice import splice

_JUMP_SAMPLES = SAMPLE_RATE // 4  # no stretching changes a delay so much within a few readings
_START_SAMPLES = 3 * SAMPLE_RATE // 50  # a delay wanders so far by itself
_STOP_SAMPLES = SAMPLE_RATE // 100
_MOST_SHARE = 0.6  # of a frame, at a time
_GENTLE_SHARE = 0.25


@dataclass(slots=True)
class DelayCorrection:
    """Follows one track's delay; `delay_samples` is by how much the frames that were handed out are late."""

    delay_samples: int = 0
    _correcting: bool = False

    def jump(self, delay_samples: int) -> int:
        """Take a delay; returns by how much it has grown if it has changed at once, else 0."""
        grown = delay_samples - self.delay_samples
        if abs(grown) < _JUMP_SAMPLES:
            return 0
        self.delay_samples, self._correcting = delay_samples, False
        return grown

    def restart(self, delay_samples: int) -> None:
        """Begin anew with this delay, which has nothing to do with the one before."""
        self.delay_samples, self._correcting = delay_samples, False

    def correct(self, pcm: Pcm, delay_samples: int, *, gently: bool = False) -> Pcm:
        """Return a frame of shape (n,) shorter or longer, by as much of the change as one frame can bear.

        `gently`: cut no more out of it than a new jitter buffer puts into one.
        """
        grown = delay_samples - self.delay_samples
        self._correcting = abs(grown) > (_STOP_SAMPLES if self._correcting else _START_SAMPLES)
        if not self._correcting:
            return pcm
        most = _GENTLE_SHARE if gently and grown > 0 else _MOST_SHARE
        piece = min(max(2 * abs(grown) // 3, _STOP_SAMPLES), round(len(pcm) * most))
        spliced = splice(pcm, -piece if grown > 0 else piece)
        self.delay_samples += len(pcm) - len(spliced)
        return spliced
