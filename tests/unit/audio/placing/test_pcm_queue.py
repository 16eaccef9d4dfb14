"""Samples that wait come out once, in their order, and those that were not kept are counted in their places."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.pcm import Pcm
from audio.placing.pcm_queue import PcmQueue

LOST = -1
COUNTS = st.integers(0, 20) | st.sampled_from([4799, 4800, 4801])
OPERATIONS = st.lists(st.tuples(st.sampled_from(["push", "take"]), COUNTS, st.integers(-1, 5000)), max_size=30)


def samples_of(pieces: list["Pcm | int"]) -> list[int]:
    """Every sample; `LOST` for each that was not kept."""
    return [sample for piece in pieces for sample in ([LOST] * piece if isinstance(piece, int) else piece.tolist())]


@given(operations=OPERATIONS)
def test_what_was_pushed_is_taken_once_in_its_order(operations: list[tuple[str, int, int]]) -> None:
    """Whatever is pushed and taken when, it is a list of samples, of which those past the room are lost."""
    queue = PcmQueue()
    expected: list[int] = []
    pushed = 0
    for name, count, room in operations:
        if name == "push":
            pcm = (np.arange(pushed, pushed + count) % 30_000).astype(np.int16)
            pushed += count
            queue.push(pcm, room)
            kept = min(count, max(room, 0))
            expected += [*pcm[:kept].tolist(), *[LOST] * (count - kept)]
            pcm[:] = 0  # the queue has its own copy
        else:
            assert samples_of(queue.take(count)) == expected[:count]
            expected = expected[count:]
        assert (queue.samples, queue.kept_samples) == (len(expected), len(expected) - expected.count(LOST))
    assert samples_of(queue.take(queue.samples)) == expected


@pytest.mark.parametrize(("room", "pieces"), [(4800, 1), (0, 1)])
def test_many_tiny_chunks_are_one_piece(room: int, pieces: int) -> None:
    """A sender of single samples costs no more than one of tenths of a second; nor does what is not kept."""
    queue = PcmQueue()
    for _ in range(4800):
        queue.push(np.ones(1, np.int16), room)

    assert len(queue.take(4800)) == pieces


def test_a_piece_is_a_tenth_of_a_second_at_most() -> None:
    """What has been put together is copied with each chunk that joins it."""
    queue = PcmQueue()
    for _ in range(4801):
        queue.push(np.ones(1, np.int16), 4801)

    assert [len(piece) for piece in queue.take(4801) if not isinstance(piece, int)] == [4800, 1]
