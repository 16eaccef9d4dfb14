"""From probabilities to stretches: thresholds, pauses, clicks, padding, the longest utterance."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from audio.voice_activity import (
    CUT_MS,
    LEAST_MS,
    LONGEST_MS,
    MERGE_MS,
    PADDING_MS,
    SHORTEST_PAUSE_MS,
    START_PROBABILITY,
    TIRING_MS,
    VoicedStretches,
)

RATE = 1000  # a sample is a millisecond
WINDOW = 10


def told(probabilities: list[float], before: list[tuple[int, int]] | None = None) -> list[tuple[int, int]]:
    """Every stretch; none begins before what was promised when the window before it had been heard."""
    stretches = VoicedStretches(WINDOW, RATE, before or ())
    found: list[tuple[int, int]] = []
    for probability in probabilities:
        earliest = stretches.earliest
        if (one := stretches.hear(probability)) is not None:
            assert one[0] >= earliest
            found.append(one)
    if (last := stretches.finish()) is not None:
        found.append(last)
    return found


def ranges(*parts: tuple[float, int]) -> list[tuple[int, int]]:
    """The voiced stretches of (probability, milliseconds) one after the other."""
    return told([probability for probability, ms in parts for _ in range(ms // WINDOW)])


def test_a_voice_is_found_with_200_ms_around_it() -> None:
    """So that no consonant is lost."""
    assert ranges((0, 1000), (0.9, 500), (0, 1000)) == [(800, 1700)]


def test_the_padding_does_not_begin_before_the_audio() -> None:
    """Nor does it matter that the audio ends within it: who cuts it out knows where that is."""
    assert ranges((0.9, 500), (0, 100)) == [(0, 700)]


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
    assert ranges((0.9, LEAST_MS - WINDOW), (0, 1000)) == []
    assert ranges((0, 1000), (0.9, LEAST_MS - WINDOW), (0, 1000)) == []
    assert ranges((0, 1000), (0.9, LEAST_MS), (0, 1000)) == [(800, 1400)]


def test_short_words_behind_an_utterance_are_no_click() -> None:
    """What a pause of a tired speaker parts belongs together: "… and so on. No."."""
    spoken, pause, word = 12_000, 100, LEAST_MS - WINDOW
    assert ranges((0.9, spoken), (0, pause), (0.9, word), (0, 1000)) == [
        (0, spoken + pause // 2),
        (spoken + pause // 2, spoken + pause + word + PADDING_MS),
    ]
    assert len(ranges((0.9, spoken), (0, MERGE_MS), (0.9, word), (0, 1000))) == 1


def test_the_longer_somebody_speaks_the_shorter_a_pause_ends_it() -> None:
    """So that it is told soon: in the middle of the pause, with the words behind it in the next one."""
    for spoken, pause in ((TIRING_MS[0], MERGE_MS), (8000, 350), (TIRING_MS[1], 100), (13_000, 100)):
        around = min(pause // 2, PADDING_MS)
        parts = ((0, 1000), (0.9, spoken), (0, pause), (0.9, 1000), (0, 1000))
        first, second = ranges(*parts)
        assert first == (800, 1000 + spoken + around)
        assert second == (1000 + spoken + pause - around, 2200 + spoken + pause)
        shorter = ((0, 1000), (0.9, spoken), (0, pause - WINDOW), (0.9, 1000), (0, 1000))
        assert ranges(*shorter)[0][1] > first[1]


def test_a_long_speech_is_cut_where_the_voice_is_weakest() -> None:
    """Not through a word, when there is a breath; nothing is lost between the parts, and each is told soon."""
    parts = ((0.9, 13_000), (0.6, 100), (0.9, 13_000), (0.4, 50), (0.9, 3_000), (0, 1000))
    first, second, third = ranges((0, 1000), *parts)
    assert (first[0], third[1]) == (800, 30_350)
    assert 14_000 <= first[1] == second[0] < 14_100
    assert 27_100 <= second[1] == third[0] < 27_150
    stretches = VoicedStretches(WINDOW, RATE)
    for window in range(4000):
        if (one := stretches.hear(0.9)) is not None:
            assert (window + 1) * WINDOW - one[1] <= LONGEST_MS - 2 * PADDING_MS - CUT_MS[0]


def test_a_speech_without_a_breath_is_cut_all_the_same() -> None:
    """None longer than 15 s, none so short that an engine has nothing to go by; what is left at its end is kept."""
    found = ranges((0.9, 40_000), (0, 1000))
    assert found[0][0] == 0
    assert 40_000 + SHORTEST_PAUSE_MS // 2 <= found[-1][1] <= 40_000 + PADDING_MS
    assert all(CUT_MS[0] - WINDOW <= end - start <= LONGEST_MS for start, end in found[:-1])
    assert all(before[1] == after[0] for before, after in itertools.pairwise(found))


def test_a_speech_is_whole_up_to_the_longest() -> None:
    """With the pause that ends it and its padding 15 s; a window more, and it is cut."""
    pause = -(-SHORTEST_PAUSE_MS // WINDOW) * WINDOW
    longest = LONGEST_MS - 2 * PADDING_MS - pause
    assert ranges((0.9, longest), (0, 1000)) == [(0, longest + pause // 2)]
    assert len(ranges((0.9, longest + WINDOW), (0, 1000))) == 2


def test_a_stretch_is_known_before_the_audio_is_over() -> None:
    """As soon as the pause behind it is long enough, so that an engine can begin."""
    stretches = VoicedStretches(WINDOW, RATE)
    answers = [stretches.hear(0.9 if 100 <= window < 150 else 0.0) for window in range(300)]
    assert [(window, one) for window, one in enumerate(answers) if one] == [(150 + MERGE_MS // WINDOW - 1, (800, 1700))]


def test_silence_may_be_skipped() -> None:
    """What comes behind it lies where it would lie otherwise."""
    stretches = VoicedStretches(WINDOW, RATE)
    stretches.skip(160_000)
    stretches.skip(200_000)
    assert (stretches.is_idle, stretches.earliest) == (True, 3_600_000 - PADDING_MS)
    for _ in range(50):
        stretches.hear(0.9)
    assert (stretches.is_idle, stretches.finish()) == (False, (3_599_800, 3_600_700))


def test_what_was_told_is_not_told_again() -> None:
    """By somebody else, to whoever goes on: neither a part of it, nor with what comes before and behind."""
    spoken = [0.0] * 100 + [0.9] * 2000 + [0.0] * 100
    assert told(spoken, [(0, 30_000)]) == []
    assert told(spoken, [(5000, 9000), (9000, 12_000)]) == [(800, 5000), *told(spoken, [(0, 12_000)])]
    assert told(spoken, [(0, 12_000)])[0][0] == 12_000
    word = [0.9] * 15
    assert told([0.9] * 500 + word + [0.0] * 100, [(0, 5000)]) == [(5000, 5350)], "a word behind a cut is no click"


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 900)), max_size=12), st.data())
def test_who_goes_on_tells_what_the_first_would_have_told(parts: list[tuple[float, int]], data: st.DataObject) -> None:
    """Wherever one stops behind a stretch: another, who knows where that ended, finds the others in their places."""
    probabilities = [probability for probability, windows in parts for _ in range(windows)]
    found = told(probabilities)
    if found:
        first = data.draw(st.integers(1, len(found)))
        assert told(probabilities, found[:first]) == found[first:]


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 900)), max_size=12))
def test_stretches_are_in_order_disjoint_and_bounded(parts: list[tuple[float, int]]) -> None:
    """Whatever the detector says; where it never says voice there are none, and no voice is left out."""
    probabilities = [probability for probability, windows in parts for _ in range(windows)]
    found = told(probabilities)
    assert all(0 <= start < end <= len(probabilities) * WINDOW + PADDING_MS for start, end in found)
    assert all(end - start <= LONGEST_MS for start, end in found)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(found))
    assert not found or max(probabilities) >= START_PROBABILITY
    for index in range(len(probabilities) - LEAST_MS // WINDOW):
        if min(probabilities[index : index + LEAST_MS // WINDOW]) >= START_PROBABILITY:
            assert any(start <= index * WINDOW < end for start, end in found)
