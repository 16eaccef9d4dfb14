"""What little was made up between two readings, and how wide the gap is that names it. Pure."""

from dataclasses import dataclass

from audio.pcm import SAMPLE_RATE
from audio.ranges import Range

LEAST_TORN_SAMPLES = SAMPLE_RATE * 35 // 1000  # two packets; they were counted as 37 to 40 ms
EDGE_SAMPLES = SAMPLE_RATE // 5  # a gap may begin so much too late and end so much too early
AROUND_SAMPLES = SAMPLE_RATE * 8 // 100  # of a tenth of a second, the rest of which is torn


@dataclass(frozen=True, slots=True)
class Torn:
    """So many samples of the interval [since, until), and how late it was then."""

    samples: int
    since: int
    until: int
    late: int

    @property
    def in_the_middle(self) -> Range:
        """With what may be true around it."""
        feared = self.until - self.since - 2 * (EDGE_SAMPLES - AROUND_SAMPLES)
        wide = max(self.samples, min(feared, 2 * EDGE_SAMPLES))
        start = (self.since + self.until - wide) // 2 - self.late
        return start, start + wide

    @property
    def at_the_end(self) -> Range:
        """Where it begins what goes on in the next interval."""
        return self.until - self.samples - self.late, self.until - self.late
