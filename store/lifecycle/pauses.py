"""The pauses of sessions: written by transitions, read by whoever records, salvages or builds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# A pause is stamped by the UPDATE, but others see it after the COMMIT. A transaction that pauses takes no longer than
# this, so that a beat sent this long after an instant reports every pause that began before the instant.
COMMIT_SECONDS = 2.0

# PostgreSQL does not restart a transaction's timeout for another value: it has to be switched off first (PostgreSQL 18,
# assign_transaction_timeout).
_UNBOUND = text("SET LOCAL transaction_timeout = 0")
_BOUND = text(f"SET LOCAL transaction_timeout = '{round(COMMIT_SECONDS * 1000)}ms'")
_BEGIN = text("INSERT INTO session_pauses (session_id, paused_at) VALUES (:id, :at)")
_END = text("UPDATE session_pauses SET resumed_at = :at WHERE session_id = :id AND resumed_at IS NULL")
_ALL = text("SELECT paused_at, resumed_at FROM session_pauses WHERE session_id = :id ORDER BY paused_at")
_WITHIN = text(
    """
    SELECT EXISTS (SELECT FROM session_pauses
                   WHERE session_id = :id AND paused_at <= :until AND (resumed_at IS NULL OR resumed_at >= :since))
    """
)

# A column for a SELECT from any table with a `session_id`: that session's pauses, oldest first, as JSON.
PAUSES_OF = (
    "(SELECT jsonb_agg(jsonb_build_array(p.paused_at, p.resumed_at) ORDER BY p.paused_at)"
    " FROM session_pauses p WHERE p.session_id = {table}.session_id)"
)


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is recorded from `paused_at` until `resumed_at`; None: until the session ends."""

    paused_at: datetime
    resumed_at: datetime | None


async def bound_pausing(conn: AsyncConnection) -> None:
    """Bound this transaction, which is going to pause a session, to `COMMIT_SECONDS` from now on."""
    await conn.execute(_UNBOUND)
    await conn.execute(_BOUND)


async def begin_pause(conn: AsyncConnection, session_id: UUID, at: datetime) -> None:
    """Note that the session is paused from this stamp on."""
    await conn.execute(_BEGIN, {"id": session_id, "at": at})


async def end_pause(conn: AsyncConnection, session_id: UUID, at: datetime) -> None:
    """Note that the session's pause ends at this stamp."""
    await conn.execute(_END, {"id": session_id, "at": at})


async def read_pauses(conn: AsyncConnection, session_id: UUID) -> tuple[Pause, ...]:
    """All pauses, oldest first."""
    return tuple(Pause(row.paused_at, row.resumed_at) for row in await conn.execute(_ALL, {"id": session_id}))


async def paused_within(conn: AsyncConnection, session_id: UUID, since: datetime, until: datetime) -> bool:
    """Whether the session, whose row this transaction holds, was paused at any instant of [since, until]."""
    values = {"id": session_id, "since": since, "until": until}
    return bool((await conn.execute(_WITHIN, values)).scalar_one())


def parse_pauses(value: list[list[Any]] | None) -> tuple[Pause, ...]:
    """The pauses in a value that `PAUSES_OF` selected."""
    return tuple(
        Pause(datetime.fromisoformat(start), None if end is None else datetime.fromisoformat(end))
        for start, end in value or ()
    )
