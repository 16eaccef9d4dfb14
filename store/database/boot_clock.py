"""The host's own clock, one half of `ClockPair`: nanoseconds since boot, also while the machine sleeps."""

import time

SECOND_NS = 1_000_000_000


def boottime_ns() -> int:
    """CLOCK_BOOTTIME; never steps back, is the same in every process of the host."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
