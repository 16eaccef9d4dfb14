"""When a delivery that failed is tried again: the schedule that Standard Webhooks recommends."""

from collections.abc import Sequence

RETRY_SECONDS = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Between the first attempt, made at once, and the second, and so on: 10 attempts in three days."""

JITTER = 0.1  # so that what failed at one instant does not come back at one instant


def retry_delay_seconds(tries: int, schedule: Sequence[float], luck: float) -> float | None:
    """How long to wait after so many failed attempts; None: give up.

    Args:
        tries: at least 1.
        schedule: seconds before the second attempt, the third, ….
        luck: from 0 to 1, evenly distributed.
    """
    if tries > len(schedule):
        return None
    return schedule[tries - 1] * (1 - JITTER + 2 * JITTER * luck)
