"""From probabilities to stretches: thresholds, pauses, clicks, padding, the longest utterance."""

import itertools
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from audio.voice_activity import LEAST_MS, LONGEST_MS, MERGE_MS, START_PROBABILITY, voiced_ranges

RATE = 1000  # a sample is a millisecond
WINDOW = 10


def ranges(*stretches: tuple[float, int], length: int | None = None) -> list[tuple[int, int]]:
    """The voiced ranges of (probability, milliseconds) one after the other."""
    probabilities = [probability for probability, ms in stretches for _ in range(ms // WINDOW)]
    return list(voiced_ranges(probabilities, WINDOW, RATE, len(probabilities) * WINDOW if length is None else length))


def test_a_voice_is_found_with_200_ms_around_it() -> None:
    """So that no consonant is lost."""
    assert ranges((0, 1000), (0.9, 500), (0, 1000)) == [(800, 1700)]


def test_the_padding_stays_within_the_audio() -> None:
    """At both of its ends."""
    assert ranges((0.9, 500), (0, 100)) == [(0, 600)]


def test_a_voice_begins_above_one_half_and_goes_on_above_035() -> None:
    """Two thresholds, or a voice that fades would be cut into pieces."""
    assert ranges((0, 1000), (0.49, 500), (0, 1000)) == []
    assert ranges((0, 1000), (0.5, 300), (0.36, 300), (0, 1000)) == [(800, 1800)]
    assert ranges((0, 1000), (0.5, 300), (0.34, 2000)) == [(800, 1500)]


def test_a_short_pause_belongs_to_the_sentence() -> None:
    """Less than 600 ms."""
    assert ranges((0.9, 500), (0, MERGE_MS - WINDOW), (0.9, 500), (0, 1000)) == [(0, 1790)]
    assert ranges((0.9, 500), (0, MERGE_MS), (0.9, 500), (0, 1000)) == [(0, 700), (900, 1800)]


def test_a_click_is_no_voice() -> None:
    """Shorter than 200 ms."""
    assert ranges((0, 1000), (0.9, LEAST_MS - WINDOW), (0, 1000)) == []
    assert ranges((0, 1000), (0.9, LEAST_MS), (0, 1000)) == [(800, 1400)]


def test_a_long_speech_is_cut_into_equal_parts() -> None:
    """None longer than 15 s, nothing lost between them."""
    assert ranges((0.9, 40_000), (0, 1000)) == [(0, 13_400), (13_400, 26_800), (26_800, 40_200)]


def test_a_stretch_is_known_before_the_audio_is_over() -> None:
    """As soon as the pause behind it is long enough, so that an engine can begin."""
    read = 0

    def probabilities() -> Iterator[float]:
        nonlocal read
        for window in range(100_000):
            read = window * WINDOW
            yield 0.9 if 100 <= window < 150 or 300 <= window < 350 else 0.0

    assert next(voiced_ranges(probabilities(), WINDOW, RATE, 1_000_000)) == (800, 1700)
    assert read <= 3500


@given(st.lists(st.floats(0, 1), max_size=400), st.integers(0, WINDOW))
def test_stretches_are_in_order_disjoint_and_bounded(probabilities: list[float], rest: int) -> None:
    """Whatever the detector says; where it never says voice there are none."""
    length = len(probabilities) * WINDOW + rest
    found = list(voiced_ranges(probabilities, WINDOW, RATE, length))
    assert all(0 <= start < end <= length and end - start <= LONGEST_MS for start, end in found)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(found))
    assert not found or max(probabilities) >= START_PROBABILITY
