"""Which lost runs a session is blamed for, and where it may run then.

A session can have caused the death of the process that it ran in, and of no other one. So nobody is blamed for recorder
processes that die together: no single session did that. `HEALTHY_MS` of proven recording clear a session of blame.
"""

from enum import Enum, auto
from math import ceil

HEALTHY_MS = 60_000
PARDONS = 3  # of a session's lost runs, at most: two poisoned sessions may die together again and again
WAIT_SECONDS = 25.0
"""How long a process that was started for suspects waits for one.

A session may become a suspect even later, but one that kills its process again mostly does so soon, and each process
that waits costs memory."""
BLAMED_BEFORE_QUARANTINE = 2
BLAMED_BEFORE_ALONE = 3
BLAMED_ALONE_BEFORE_FAILED = 3


class Place(Enum):
    """Where a session may run next."""

    ANYWHERE = auto()
    QUARANTINE = auto()  # in a process that was started for suspects; with others when there are very many
    ALONE = auto()  # in such a process, with nobody else
    NOWHERE = auto()  # it has taken down several processes in which nothing else ran


def place(blamed: int, blamed_alone: int) -> Place:
    """Where a session may run that is blamed for `blamed` lost runs in a row, `blamed_alone` of them alone."""
    if blamed_alone >= BLAMED_ALONE_BEFORE_FAILED:
        return Place.NOWHERE
    if blamed >= BLAMED_BEFORE_ALONE:
        return Place.ALONE
    return Place.QUARANTINE if blamed >= BLAMED_BEFORE_QUARANTINE else Place.ANYWHERE


def quarantine_sizes(suspects: int, alone: int, free_places: int) -> list[int]:
    """How many sessions each new process takes, so that every suspect has one at once and their number is bounded.

    Args:
        suspects: those that may share a process.
        alone: those that must not.
        free_places: how many processes there should be; one more for each of `alone`, and at least one for the rest.
    """
    places = max(1, free_places)
    size = ceil(suspects / places)
    shared = [min(size, suspects - first) for first in range(0, suspects, size)] if suspects else []
    return [1] * alone + shared
