"""Where a track's frames lie on the session's clock.

LiveKit's frames carry no timestamps: all that is known is when each arrived, and how long its jitter buffer kept it.
Arrival can only be later than the truth (a stall, a burst after it), so arrival anchors the first frame, frames follow
each other by count, and the anchor moves only on evidence that a delivery schedule alone can't produce.
"""

from dataclasses import dataclass

import numpy as np

from audio.pcm import SAMPLE_RATE, Pcm


@dataclass(frozen=True, slots=True)
class Placed:
    """Samples of one track with their place.

    `start_sample` is the position of the first sample, `arrival_sample` when the frame arrived (both on the session's
    clock), `pcm` has shape (n,) with n >= 1.
    """

    start_sample: int
    arrival_sample: int
    pcm: Pcm


class TrackTimeline:
    """Places the frames of one track; what it returns never overlaps, and starts only grow, except after a `shift`.

    A frame that comes later than its place by more than the tolerance is held: either a later frame within the window
    is on time (it was a stall and its burst, all keep their places), or the window ends and all were late (samples are
    really missing: the anchor moves later by the smallest lateness). While the lateness shrinks by more than the
    tolerance per window, a backlog is draining and another window begins, up to the longest hold. A frame that comes
    too early moves the anchor earlier at once.

    `trimmed_samples` counts the samples dropped because they fell before 0 or onto samples already placed.
    """

    def __init__(
        self,
        sample_rate: int = SAMPLE_RATE,
        jitter_tolerance_ms: int = 100,
        late_window_ms: int = 500,
        longest_hold_ms: int = 5000,
    ) -> None:
        self.trimmed_samples = 0
        self._tolerance_samples = sample_rate * jitter_tolerance_ms // 1000
        self._window_samples = sample_rate * late_window_ms // 1000
        self._longest_hold_samples = sample_rate * longest_hold_ms // 1000
        self._next_sample: int | None = None
        self._first_sample = 0
        self._placed_end = 0
        self._held: list[tuple[int, Pcm]] = []
        self._held_samples = 0
        self._least_lateness = 0
        self._last_lateness = 0
        self._window_opened = 0  # arrival of the window's first late frame
        self._window_lateness = 0  # and how late that was

    def push(self, pcm: Pcm, arrival_sample: int, delay_samples: int = 0) -> list[Placed]:
        """Take a frame of shape (n,) whose last sample arrived at `arrival_sample`; return what is now decided.

        It is known to have arrived `delay_samples` later than it could have. The array is kept, not copied.

        Raises ValueError if it isn't int16 of one dimension.
        """
        if pcm.dtype != np.int16 or pcm.ndim != 1:
            raise ValueError(f"a frame is int16 of shape (n,), not {pcm.dtype} of shape {pcm.shape}")
        if len(pcm) == 0:
            return []
        placed = self.hold_expired(arrival_sample)
        natural_start = arrival_sample - delay_samples - len(pcm)
        if self._next_sample is None:
            self._next_sample = natural_start
            self._first_sample = natural_start
        lateness = natural_start - (self._next_sample + self._held_samples)
        if lateness > self._tolerance_samples:
            self._hold(arrival_sample, pcm, lateness)
            return placed
        if lateness < -self._tolerance_samples:
            self._next_sample += lateness
        placed += self.flush()
        placed += self._place(arrival_sample, pcm)
        return placed

    def shift(self, samples: int) -> list[Placed]:
        """Let what comes now lie so much later, or earlier; return what was held.

        Earlier, it may overlap what was placed in its place: that was made up while this was under way. Nothing lies
        before the track's first sample.
        """
        held = self.flush()
        if self._next_sample is not None:
            self._next_sample = max(self._next_sample + samples, self._first_sample)
            self._placed_end = min(self._placed_end, max(self._next_sample, 0))
        return held

    def restart(self) -> list[Placed]:
        """Let the next frame's arrival anchor it anew, behind what was placed; return what was held."""
        held = self.flush()
        self._next_sample = None
        return held

    def hold_expired(self, now_sample: int) -> list[Placed]:
        """Return held frames from the later anchor if the window ended before `now_sample`, else nothing.

        Call it now and then, after the frames that have already arrived were pushed, so that a quiet track's frames
        come out.
        """
        if not self._held or now_sample - self._window_opened <= self._window_samples:
            return []
        if self._is_draining():
            self._open_window(self._held[-1][0], self._last_lateness)
            return self.hold_expired(now_sample)
        assert self._next_sample is not None
        self._next_sample += self._least_lateness
        return self.flush()

    def flush(self) -> list[Placed]:
        """Return all held frames, placed by count: the track ended before anything spoke for a later anchor."""
        held, self._held, self._held_samples = self._held, [], 0
        return [one for arrival_sample, pcm in held for one in self._place(arrival_sample, pcm)]

    def _is_draining(self) -> bool:
        held_for = self._held[-1][0] - self._held[0][0]
        shrunk = self._window_lateness - self._last_lateness
        return shrunk > self._tolerance_samples and held_for < self._longest_hold_samples

    def _open_window(self, arrival_sample: int, lateness: int) -> None:
        self._window_opened, self._window_lateness = arrival_sample, lateness

    def _hold(self, arrival_sample: int, pcm: Pcm, lateness: int) -> None:
        if not self._held:
            self._least_lateness = lateness
            self._open_window(arrival_sample, lateness)
        self._least_lateness = min(lateness, self._least_lateness)
        self._last_lateness = lateness
        self._held.append((arrival_sample, pcm))
        self._held_samples += len(pcm)

    def _place(self, arrival_sample: int, pcm: Pcm) -> list[Placed]:
        assert self._next_sample is not None
        start_sample = self._next_sample
        self._next_sample += len(pcm)
        overlap = min(max(self._placed_end - start_sample, 0), len(pcm))
        self.trimmed_samples += overlap
        if overlap == len(pcm):
            return []
        self._placed_end = self._next_sample
        return [Placed(start_sample + overlap, arrival_sample, pcm[overlap:])]
