"""From a voice detector's probabilities to the stretches that are worth recognizing."""

from collections.abc import Iterable, Iterator

from audio.ranges import Range

START_PROBABILITY = 0.5
STOP_PROBABILITY = 0.35
MERGE_MS = 600  # a shorter pause belongs to the sentence; longer than two paddings, so that these never meet
LEAST_MS = 200  # a shorter voice is a click
PADDING_MS = 200  # before and after, so that no consonant is lost
LONGEST_MS = 15_000  # one engine holds the GIL for as long as it listens


def voiced_ranges(
    probabilities: Iterable[float], window_samples: int, sample_rate: int, length: int
) -> Iterator[Range]:
    """Yield the voiced stretches [start, end) in samples, in order, disjoint, none longer than 15 s.

    Each one is known as soon as the pause behind it is: nothing waits for the end of the audio.

    Args:
        probabilities: of voice, one per window of `window_samples`, from sample 0 on.
        length: of the audio; nothing reaches past it.
    """
    least, padding, longest = (ms * sample_rate // 1000 for ms in (LEAST_MS, PADDING_MS, LONGEST_MS))
    for start, end in _joined(_above(probabilities, window_samples), MERGE_MS * sample_rate // 1000):
        if end - start >= least:
            yield from _split(max(start - padding, 0), min(end + padding, length), longest)


def _joined(ranges: Iterable[Range], merge: int) -> Iterator[Range]:
    """Those with less than `merge` between them as one."""
    joined: Range | None = None
    for start, end in ranges:
        if joined is None:
            joined = start, end
        elif start - joined[1] < merge:
            joined = joined[0], end
        else:
            yield joined
            joined = start, end
    if joined is not None:
        yield joined


def _above(probabilities: Iterable[float], window_samples: int) -> Iterator[Range]:
    """Where the probability rose over the start's threshold, until it fell under the stop's."""
    start: int | None = None
    position = 0
    for probability in probabilities:
        if start is None and probability >= START_PROBABILITY:
            start = position
        elif start is not None and probability < STOP_PROBABILITY:
            yield start, position
            start = None
        position += window_samples
    if start is not None:
        yield start, position


def _split(start: int, end: int, longest: int) -> Iterator[Range]:
    """Equal parts, none longer than `longest`."""
    parts = -(-(end - start) // longest)
    for part in range(parts):
        yield start + (end - start) * part // parts, start + (end - start) * (part + 1) // parts
