"""What a track has beyond its last whole frame is found in a stream of smaller ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.database.boot_clock import SECOND_NS
from worker.room.livekit.frame_tail import PIECE_SAMPLES, FrameTail, Stereo

PIECE_NS = SECOND_NS // 100
LARGE, SMALL = 10, 2  # pieces per frame


NOISE = np.random.default_rng(1).integers(-9000, 9000, size=(80 * PIECE_SAMPLES, 2)).astype(np.int16)


def noise(pieces: int) -> Stereo:
    """Of which no two pieces are alike."""
    return NOISE[: pieces * PIECE_SAMPLES]


def heard(samples: Stereo, *, large_from: int, small_from: int, small_late_ns: int = 0) -> FrameTail:
    """Both streams of these samples, each begun at a piece of its own; frames come as soon as they are whole."""
    tail = FrameTail()
    for piece in range(1, len(samples) // PIECE_SAMPLES + 1):
        end, at_ns = piece * PIECE_SAMPLES, piece * PIECE_NS
        for first, size, late_ns, take in (
            (large_from, LARGE, 0, tail.take_large),
            (small_from, SMALL, small_late_ns, tail.take_small),
        ):
            if piece - first >= size and (piece - first) % size == 0:
                take(at_ns + late_ns, samples[end - size * PIECE_SAMPLES : end])
    return tail


@settings(max_examples=50)
@given(
    pieces=st.integers(30, 80),
    large_from=st.integers(0, 9),
    small_from=st.integers(0, 15),
    late_ms=st.integers(0, 60),
    silent=st.booleans(),
)
def test_the_rest_follows_the_last_large_frame(
    pieces: int, large_from: int, small_from: int, late_ms: int, silent: bool
) -> None:
    """To the sample, whenever the streams began and however much later small frames come; in silence, as they come."""
    samples = np.zeros_like(noise(pieces)) if silent else noise(pieces)
    late_ms = 0 if silent else late_ms
    tail = heard(samples, large_from=large_from, small_from=small_from, small_late_ns=late_ms * SECOND_NS // 1000)
    large_end = large_from + (pieces - large_from) // LARGE * LARGE
    small_end = small_from + (pieces - small_from) // SMALL * SMALL

    rest = tail.rest()

    if small_end <= large_end:
        assert rest is None
        return
    assert rest is not None
    assert np.array_equal(rest[1], samples[large_end * PIECE_SAMPLES : small_end * PIECE_SAMPLES])
    assert rest[0] == small_end * PIECE_NS + late_ms * SECOND_NS // 1000


@pytest.mark.parametrize("small_from", [31, 40])
def test_a_second_stream_that_began_after_the_last_large_frame_tells_nothing(small_from: int) -> None:
    """What lies between is not known, and would be left out in silence."""
    assert heard(noise(39), large_from=0, small_from=small_from).rest() is None


def test_without_a_second_stream_there_is_no_rest() -> None:
    """Most tracks end like that."""
    assert heard(noise(37), large_from=0, small_from=100).rest() is None


def test_the_same_samples_said_again_later_are_not_taken_for_the_end() -> None:
    """A tone may repeat each piece exactly: the one that arrived with the large frame counts."""
    samples = np.tile(noise(1), (47, 1))
    rest = heard(samples, large_from=0, small_from=1).rest()
    assert rest is not None
    assert len(rest[1]) == 7 * PIECE_SAMPLES
