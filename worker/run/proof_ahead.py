"""When a segment should be sealed so that the next beat lets it go to the object storage.

A beat proves what was recorded `COMMIT_SECONDS` before it was sent. Sealed just before that instant, a segment is
stored right after the beat; sealed later, it would wait for the beat after that one, and a host that is lost would take
it along.
"""

import random

from store.database.boot_clock import SECOND_NS
from store.lifecycle.pauses import COMMIT_SECONDS

_COMMIT_NS = round(COMMIT_SECONDS * SECOND_NS)
_LEAST_NS = SECOND_NS // 20  # what the seal itself takes
_SPREAD_NS = SECOND_NS // 10  # the sessions of a process share one writer and should not seal all at once
_WINDOW_NS = SECOND_NS * 3 // 10  # a run looks every quarter of a second


class ProofAhead:
    """Says when; every run has one, and its own moment."""

    def __init__(self) -> None:
        self._lead_ns = _COMMIT_NS + _LEAST_NS + random.randrange(_SPREAD_NS)

    def is_near(self, now_ns: int, next_beat_ns: int | None) -> bool:
        """Whether what is sealed now is proven by the beat that is sent at `next_beat_ns`, and later would not be."""
        if next_beat_ns is None:
            return False
        return 0 <= next_beat_ns - self._lead_ns - now_ns <= _WINDOW_NS
