"""Which recorder processes died together: no single session did that, as each is in one process only."""

from uuid import UUID

TOGETHER_SECONDS = 1.0  # `kill` in a loop, or the out-of-memory killer, takes less


class Deaths:
    """The deaths of the last second. Instants are seconds of any one clock that never goes back."""

    def __init__(self) -> None:
        self._at: dict[UUID, float] = {}

    def note(self, owner: UUID, at: float) -> frozenset[UUID]:
        """The owners that this death shows to have died together; empty for a death on its own."""
        together = {other for other, died_at in self._at.items() if at - died_at <= TOGETHER_SECONDS}
        self._at[owner] = at
        return frozenset(together | {owner} if together else ())

    def forget(self, now: float) -> list[UUID]:
        """Remove, and return, those that nobody can have died together with any more."""
        old = [owner for owner, at in self._at.items() if now - at > TOGETHER_SECONDS]
        for owner in old:
            del self._at[owner]
        return old
