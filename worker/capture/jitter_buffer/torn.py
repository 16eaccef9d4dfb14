"""A short loss between two readings, and how wide the gap is that names it. Pure.

*Torn* is audio that is not true from end to end: made up, stretched, or with packets missing.
"""

from dataclasses import dataclass

from audio.pcm import SAMPLE_RATE
from audio.ranges import Range

LEAST_TORN_SAMPLES = SAMPLE_RATE * 35 // 1000  # two packets in a row: the counter gave 37 to 40 ms for them
EDGE_SAMPLES = SAMPLE_RATE // 5  # a gap may begin so much too late, and end so much too early
AROUND_SAMPLES = SAMPLE_RATE * 8 // 100  # so much of a tenth of a second may be true when the rest of it is torn


@dataclass(frozen=True, slots=True)
class Torn:
    """So many torn samples somewhere in the interval [since, until), and by how many samples audio was late then."""

    samples: int
    since: int
    until: int
    late: int

    @property
    def in_the_middle(self) -> Range:
        """The gap, with audio around the loss that may be true, as it is not known where in the interval it lies."""
        feared = self.until - self.since - 2 * (EDGE_SAMPLES - AROUND_SAMPLES)
        wide = max(self.samples, min(feared, 2 * EDGE_SAMPLES))
        start = (self.since + self.until - wide) // 2 - self.late
        return start, start + wide

    @property
    def at_the_end(self) -> Range:
        """The gap of a loss that goes on in the next interval: it must lie at the end of this one."""
        return self.until - self.samples - self.late, self.until - self.late
