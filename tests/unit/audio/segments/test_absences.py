"""When nobody was in the room, in the milliseconds of the file."""

from hypothesis import given
from hypothesis import strategies as st

from audio.pcm import SAMPLE_RATE
from audio.segments.absences import absences_in_ms

positions = st.integers(0, 3 * SAMPLE_RATE)
ranges = st.lists(st.tuples(positions, positions).filter(lambda one: one[0] < one[1]), max_size=4)


@given(ranges, positions)
def test_absences_lie_in_the_file_apart_and_in_order(absences: list[tuple[int, int]], length: int) -> None:
    """Its length is in whole milliseconds, rounded down: what the bill subtracts from it is no longer than it is."""
    told = absences_in_ms(absences, length)
    edges = [edge for one in told for edge in (one["start_ms"], one["end_ms"])]
    assert edges == sorted(edges)
    assert all(one["start_ms"] < one["end_ms"] <= length * 1000 // SAMPLE_RATE for one in told)


def test_an_absence_to_the_end_ends_with_the_file() -> None:
    """Of 1.0005 s there is one second; an absence in the midst covers what it touches."""
    assert absences_in_ms([(24_010, 48_024)], 48_024) == [{"start_ms": 500, "end_ms": 1000}]
    assert absences_in_ms([(24_010, 24_100)], 48_024) == [{"start_ms": 500, "end_ms": 503}]
