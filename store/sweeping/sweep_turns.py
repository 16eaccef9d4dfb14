"""Turns: what every process would look after now and then is looked after by one of them."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# A stamp from the future is one of a clock that was put back.
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
        in_turn: False: every turn is this transaction's.
    """

    def __init__(self, conn: AsyncConnection, *, in_turn: bool) -> None:
        self._conn = conn
        self._in_turn = in_turn

    async def take(self, concern: str, every_seconds: float) -> bool:
        """Whether nobody has taken it within `every_seconds`; then it is taken."""
        if not self._in_turn:
            return True
        asked = {"concern": concern, "every": every_seconds}
        return (await self._conn.execute(_TAKE, asked)).one_or_none() is not None

    async def give_back(self, concern: str) -> None:
        """There is more to do: the next sweep takes this turn again."""
        await self._conn.execute(_GIVE_BACK, {"concern": concern})
