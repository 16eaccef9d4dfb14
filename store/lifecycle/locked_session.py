"""Holding a session's row: whoever changes a session locks it first, so that changes come one after the other."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import session_not_found
from sessions.lifecycle.lifecycle import SETTLED, Outcome, Status
from store.database.tables import sessions


@dataclass(frozen=True, slots=True)
class LockedSession:
    """What a transition has to know of the row that its transaction holds."""

    id: UUID
    organization_id: UUID
    kind: str
    status: Status
    epoch: int
    outcome: Outcome | None
    end_reason: str | None

    @property
    def settled(self) -> bool:
        """Whether being asked to end or cancel it changes nothing."""
        return self.status in SETTLED


async def lock_session(conn: AsyncConnection, session_id: UUID) -> LockedSession | None:
    """Hold the session's row until the end of the transaction; None when there is none."""
    return await _lock(conn, sessions.c.id == session_id)


async def lock_own_session(conn: AsyncConnection, organization_id: UUID, session_id: UUID) -> LockedSession:
    """`lock_session` for an organization.

    Raises:
        ParleyError: `not_found`: there is none, or it is another organization's.
    """
    locked = await _lock(conn, sessions.c.id == session_id, sessions.c.organization_id == organization_id)
    if locked is None:
        raise session_not_found()
    return locked


async def lock_held_session(conn: AsyncConnection, session_id: UUID) -> LockedSession:
    """`lock_session` for a row that this transaction holds already: what it says now."""
    locked = await lock_session(conn, session_id)
    assert locked is not None
    return locked


async def _lock(conn: AsyncConnection, *conditions: ColumnElement[bool]) -> LockedSession | None:
    query = select(
        sessions.c.id,
        sessions.c.organization_id,
        sessions.c.kind,
        sessions.c.status,
        sessions.c.epoch,
        sessions.c.outcome,
        sessions.c.end_reason,
    ).where(*conditions)
    row = (await conn.execute(query.with_for_update(key_share=True))).one_or_none()
    if row is None:
        return None
    return LockedSession(
        row.id, row.organization_id, row.kind, Status(row.status), row.epoch, row.outcome, row.end_reason
    )
