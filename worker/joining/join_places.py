"""How many sessions of one process may be on their way into their rooms at the same time.

A room that doesn't answer keeps its session on the way for `PARLEY_JOIN_SECONDS`. So that nobody else waits for it, not
all places of a process are for joining, and half of them at most for one organization.
"""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from worker.lease.live_run import LiveRun


@dataclass(frozen=True, slots=True)
class JoinPlaces:
    """The bounds of a process with so many places for sessions."""

    places: int

    @property
    def all(self) -> int:
        """Joins under way, of everybody; four fifths of the places."""
        return -(-4 * self.places // 5)

    @property
    def of_one(self) -> int:
        """Joins under way of one organization; half of the places."""
        return -(-self.places // 2)


class Arrivals:
    """The sessions of a process that have not been in their rooms yet."""

    def __init__(self) -> None:
        self._on_the_way: dict[UUID, tuple[UUID, LiveRun]] = {}

    def add(self, organization_id: UUID, run: LiveRun) -> None:
        """A session that was just claimed."""
        self._on_the_way[run.fence.session_id] = (organization_id, run)

    def remove(self, session_id: UUID) -> None:
        """It is over."""
        self._on_the_way.pop(session_id, None)

    @property
    def runs(self) -> list[LiveRun]:
        """Those that are on the way."""
        self._forget_arrived()
        return [run for _, run in self._on_the_way.values()]

    def by_organization(self) -> Counter[UUID]:
        """How many are on the way."""
        self._forget_arrived()
        return Counter(organization_id for organization_id, _ in self._on_the_way.values())

    def _forget_arrived(self) -> None:
        for session_id, (_, run) in list(self._on_the_way.items()):
            if run.joined or run.lost:
                del self._on_the_way[session_id]
