"""From a voice detector's probabilities to the stretches that are worth recognizing."""

from collections.abc import Iterable

from audio.ranges import Range, merged_ranges

START_PROBABILITY = 0.5
STOP_PROBABILITY = 0.35
MERGE_MS = 600  # a shorter pause belongs to the sentence
LEAST_MS = 200  # a shorter voice is a click
PADDING_MS = 200  # before and after, so that no consonant is lost
LONGEST_MS = 15_000  # one engine holds the GIL for as long as it listens


def voiced_ranges(probabilities: Iterable[float], window_samples: int, sample_rate: int, length: int) -> list[Range]:
    """The voiced stretches [start, end) in samples, in order, disjoint, none longer than 15 s.

    Args:
        probabilities: of voice, one per window of `window_samples`, from sample 0 on.
        length: of the audio; nothing reaches past it.
    """
    found = _above(probabilities, window_samples)
    joined: list[list[int]] = []
    for start, end in found:
        if joined and start - joined[-1][1] < MERGE_MS * sample_rate // 1000:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    least, padding = LEAST_MS * sample_rate // 1000, PADDING_MS * sample_rate // 1000
    padded = [(max(start - padding, 0), min(end + padding, length)) for start, end in joined if end - start >= least]
    longest = LONGEST_MS * sample_rate // 1000
    return [piece for start, end in merged_ranges(padded) for piece in _split(start, end, longest)]


def _above(probabilities: Iterable[float], window_samples: int) -> list[Range]:
    """Where the probability rose over the start's threshold, until it fell under the stop's."""
    found: list[Range] = []
    start: int | None = None
    position = 0
    for probability in probabilities:
        if start is None and probability >= START_PROBABILITY:
            start = position
        elif start is not None and probability < STOP_PROBABILITY:
            found.append((start, position))
            start = None
        position += window_samples
    if start is not None:
        found.append((start, position))
    return found


def _split(start: int, end: int, longest: int) -> list[Range]:
    """Equal parts, none longer than `longest`."""
    parts = -(-(end - start) // longest)
    return [
        (start + (end - start) * part // parts, start + (end - start) * (part + 1) // parts) for part in range(parts)
    ]
