"""The frames that were due while a process stood still, and come all at once when it goes on. Pure."""

from dataclasses import dataclass

from audio.pcm import SAMPLE_RATE
from store.database.boot_clock import SECOND_NS

_STANDSTILL_NS = 3 * SECOND_NS // 10  # frames that arrive further apart than this mean a standstill
_AT_ONCE = 0.6  # frames that arrive closer together than this share of their length had been waiting


@dataclass(slots=True)
class CatchUp:
    """Tells a track's frames that were due during a standstill from those that were sent after it."""

    _due_samples: int = 0
    _last_ns: int | None = None

    def begins(self, arrival_ns: int, num_samples: int) -> bool:
        """Take a frame; whether it is the first one after a standstill."""
        passed_ns = 0 if self._last_ns is None else arrival_ns - self._last_ns
        self._last_ns = arrival_ns
        if passed_ns > _STANDSTILL_NS:
            self._due_samples = passed_ns * SAMPLE_RATE // SECOND_NS
            return True
        if passed_ns * SAMPLE_RATE > num_samples * _AT_ONCE * SECOND_NS:
            self._due_samples = 0
        return False

    def lacks(self, now_ns: int) -> bool:
        """Whether a frame that came now would be the first one after a standstill."""
        return self._last_ns is not None and now_ns - self._last_ns > _STANDSTILL_NS

    def takes(self, num_samples: int) -> bool:
        """Whether the frame that was just taken was due during the standstill."""
        if self._due_samples < num_samples:
            return False
        self._due_samples -= num_samples
        return True
