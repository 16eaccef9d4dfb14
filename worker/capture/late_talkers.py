"""Who is heard later than the others after a takeover: its gap ends with the first one, theirs with their own. Pure."""

from dataclasses import dataclass, field

from audio.pcm import SAMPLE_RATE
from audio.ranges import Range

_LEAST_SAMPLES = SAMPLE_RATE // 20  # frames of tracks that come at the same time lie so far apart
_MOST_SAMPLES = 5 * SAMPLE_RATE  # whoever is heard later is missing for another reason


@dataclass(slots=True)
class LateTalkers:
    """Follows the first frames of those tracks that were in the room when this run joined it."""

    _heard_from: int | None = field(init=False, default=None)

    def first_frame(self, start_sample: int) -> Range | None:
        """A track's first frame begins here; what is missing of it, beyond what is missing of everybody."""
        if self._heard_from is None:
            self._heard_from = start_sample
        if not _LEAST_SAMPLES <= start_sample - self._heard_from <= _MOST_SAMPLES:
            return None
        return self._heard_from, start_sample
