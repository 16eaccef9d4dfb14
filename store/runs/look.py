"""Whether a poll for sessions to claim reads two small indexes, or every active session."""

from enum import Enum, auto

# Per poll interval, by all processes of a fleet together.
THOROUGH_LOOKS = 10


class Look(Enum):
    """What a claim reads."""

    QUICK = auto()  # sessions that are queued, and runs released lately that are not sealed: they have indexes
    THOROUGH = auto()  # a row for each active session: finds stale runs, and released ones that are sealed


def decide_look(active: int, slots: int, draw: float) -> Look:
    """Look thoroughly so seldom that the whole fleet does it `THOROUGH_LOOKS` times per interval, however large it is.

    The processes don't know each other: each takes the fleet to be as large as the active sessions need. In a fleet
    with more slots than that there are as many times more looks.

    Args:
        active: sessions that were queued or had a run at this process's last thorough look; 0 before the first one.
        slots: how many sessions a process takes.
        draw: uniform in [0, 1), a new one for each look.
    """
    return Look.THOROUGH if draw * active < THOROUGH_LOOKS * slots else Look.QUICK
