"""What the database knows of a run whose spool was found, and so what may still be done with its audio."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from sessions.lifecycle.lifecycle import TERMINAL, Status
from store.database.database import Database
from store.lifecycle.pauses import Pause, read_pauses
from store.runs.fence import Fence

# The lock waits for a pause or an end that is stamped, but not committed yet. One that begins later is younger than all
# of the audio.
_QUERY = text(
    """
    SELECT s.status, s.started_at, s.ending_at, r.joined_at, r.sealed_at,
           (c.committed_at IS NOT NULL) AS has_product
    FROM runs r JOIN sessions s ON s.id = r.session_id LEFT JOIN recordings c ON c.session_id = s.id
    WHERE r.session_id = :session_id AND r.epoch = :epoch AND r.owner = :owner
    FOR SHARE OF s
    """
)


@dataclass(frozen=True, slots=True)
class LeftoverRun:
    """A run as it stands in the database.

    Attributes:
        started_at: sample 0 of the session; None: it never ran.
        stop_at: nothing after this instant may be stored; None: nothing was stopped.
        pauses: nothing within them may be stored either.
        joined: whether this run ever recorded on the session's clock.
        sealed: nobody waits for its audio any more.
        settled: the session is terminal without a recording to come, or its recording is stored and checked.
    """

    started_at: datetime | None
    stop_at: datetime | None
    pauses: tuple[Pause, ...]
    joined: bool
    sealed: bool
    settled: bool


async def find_leftover_run(db: Database, run: Fence) -> LeftoverRun | None:
    """The run, or None when it is gone, its session deleted."""
    async with db.begin() as conn:
        row = (await conn.execute(_QUERY, run.parameters)).one_or_none()
        pauses = await read_pauses(conn, run.session_id)
    if row is None:
        return None
    return LeftoverRun(
        started_at=row.started_at,
        stop_at=row.ending_at,
        pauses=pauses,
        joined=row.joined_at is not None,
        sealed=row.sealed_at is not None,
        settled=row.has_product or (Status(row.status) in TERMINAL and row.ending_at is None),
    )
