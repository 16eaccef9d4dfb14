"""What the demo's talkers say."""

import numpy as np
import pytest

from parley.demo.script import repeated


@pytest.mark.parametrize(
    ("samples", "chunks"),
    [
        (0, []),
        (2, [[0, 1]]),
        (3, [[0, 1], [2]]),
        (8, [[0, 1], [2, 3], [4, 0], [1, 2]]),
        (11, [[0, 1], [2, 3], [4, 0], [1, 2], [3, 4], [0]]),
    ],
)
def test_a_part_is_cut_off_or_said_again(samples: int, chunks: list[list[int]]) -> None:
    """Without a hole where it begins anew."""
    part = np.arange(5, dtype=np.int16)
    assert [chunk.tolist() for chunk in repeated(part, samples, 2)] == chunks
