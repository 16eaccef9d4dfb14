"""What a process says of itself when it asks for sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Claimer:
    """One process that claims.

    Attributes:
        owner: this incarnation of the process.
        host: its name, for the run's row.
        free: how many sessions it would take.
        known: the sessions that it has; it is never given one of them again.
        may_judge_stale: its own polls have succeeded for `stalled_seconds`, so that a run without a beat for so long is
            the other process's fault, and not the database's.
        stalled_seconds: without a beat for so long a run is stale.
        joins_per_organization: of one organization's queued sessions it takes so many, less those in `joining`.
        joining: how many sessions of each organization it is bringing into their rooms.
        quarantine: it was started for suspects, and takes nothing else; any other process takes none.
    """

    owner: UUID
    host: str
    free: int
    known: tuple[UUID, ...]
    may_judge_stale: bool
    stalled_seconds: float
    quarantine: bool = False
    joins_per_organization: int = 10_000
    joining: Mapping[UUID, int] = field(default_factory=dict)

    def joins_left(self, organization_id: UUID) -> int:
        """How many sessions of this organization it may bring into their rooms besides."""
        return max(0, self.joins_per_organization - self.joining.get(organization_id, 0))

    def with_sessions(self, ids: Sequence[UUID]) -> "Claimer":
        """The same process, once it has these sessions too."""
        return replace(self, free=self.free - len(ids), known=(*self.known, *ids))
