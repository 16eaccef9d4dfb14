"""The fence: the three values that every write of a worker carries."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Fence:
    """One run of one session by one incarnation of a worker process."""

    session_id: UUID
    epoch: int
    owner: UUID

    @property
    def parameters(self) -> dict[str, object]:
        """Bound parameters of the same names, for SQL that carries the fence."""
        return {"session_id": self.session_id, "epoch": self.epoch, "owner": self.owner}


class Replaced(Exception):  # noqa: N818 it is news, not a fault: another run has the session now
    """The fence matched nothing: another run has the session, or the session is gone.

    A replaced worker writes no state, event, usage or product; it still seals and uploads its own segments.
    """

    def __init__(self, fence: Fence) -> None:
        super().__init__(f"session {fence.session_id}: the run of epoch {fence.epoch} was replaced")
        self.fence = fence
