"""Of whom a takeover, or an outage, costs more than of the others."""

import pytest

from worker.room.missing.late_talkers import LateTalkers


@pytest.mark.parametrize(
    ("first_frames", "expected"),
    [
        ([48_000], [None]),
        ([48_000, 49_000], [None, None]),  # as good as at the same time
        ([48_000, 67_200, 96_000], [None, (48_000, 67_200), (48_000, 96_000)]),
        ([48_000, 96_000, 49_000], [None, (48_000, 96_000), None]),
        ([48_000, 480_000], [None, None]),  # for another reason
    ],
)
def test_who_is_heard_later_is_missing_for_longer(
    first_frames: list[int], expected: list[tuple[int, int] | None]
) -> None:
    """From the first frame of any on, before which everybody is missing."""
    late = LateTalkers(48_000, 5)
    assert [late.first_frame(start) for start in first_frames] == expected
