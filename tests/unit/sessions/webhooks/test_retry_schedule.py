"""When a failed delivery is tried again."""

import pytest

from sessions.webhooks.retry_schedule import RETRY_SECONDS, retry_delay_seconds


def test_ten_attempts_are_made_in_a_little_over_three_days() -> None:
    """Then nothing more is tried."""
    delays: list[float] = []
    while (delay := retry_delay_seconds(len(delays) + 1, RETRY_SECONDS, 0.5)) is not None:
        delays.append(delay)
    assert len(delays) == 9
    assert delays[:2] == pytest.approx([5, 300])
    assert 3 * 86400 < sum(delays) < 3.5 * 86400


@pytest.mark.parametrize(("luck", "share"), [(0.0, 0.9), (0.5, 1.0), (1.0, 1.1)])
def test_jitter_is_a_tenth(luck: float, share: float) -> None:
    """Both ways."""
    assert retry_delay_seconds(2, RETRY_SECONDS, luck) == pytest.approx(300 * share)
