"""Turns: each task of the sweeper is done by one of all processes at a time, and not too often."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# A stamp that lies ahead: the clock has been put back.
_TAKE = text(
    """
    INSERT INTO sweeps (concern, swept_at) VALUES (:concern, statement_timestamp())
    ON CONFLICT (concern) DO UPDATE SET swept_at = excluded.swept_at
        WHERE sweeps.swept_at NOT BETWEEN excluded.swept_at - make_interval(secs => :every) AND excluded.swept_at
    RETURNING concern
    """
)
_GIVE_BACK = text("DELETE FROM sweeps WHERE concern = :concern")


class SweepTurns:
    """The turns of one transaction, which holds the sweepers' lock; they count when it commits.

    Args:
        in_turn: False takes every turn, also one that another process has just taken.
    """

    def __init__(self, conn: AsyncConnection, *, in_turn: bool) -> None:
        self._conn = conn
        self._in_turn = in_turn

    async def take(self, concern: str, every_seconds: float) -> bool:
        """Take the turn unless it was taken within `every_seconds`; whether it is taken now."""
        if not self._in_turn:
            return True
        asked = {"concern": concern, "every": every_seconds}
        return (await self._conn.execute(_TAKE, asked)).one_or_none() is not None

    async def give_back(self, concern: str) -> None:
        """Let the next sweep take this turn again, as there is more to do."""
        await self._conn.execute(_GIVE_BACK, {"concern": concern})
