"""How many voice sessions an organization has, counted by the transaction that adds one: exact whoever adds others.

Transactions that are far from every limit hold a lock of the organization together, and count without each other. Those
that are near hold it alone. So what a count has missed are the few transactions that were far from the limit and under
way, and that is what "far" leaves room for.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import DatabaseBusyError, ParleyError

CREATIONS_AT_ONCE = 1000  # far more transactions than a PostgreSQL has connections for
RETRY_AFTER_SECONDS = 5

_LOCK_CLASS = 0x51  # of advisory locks with two keys; this package's others have one
_COUNT = text(
    """
    SELECT count(*) AS concurrent,
           count(*) FILTER (WHERE status IN ('created', 'queued')) AS queued
    FROM sessions WHERE organization_id = :organization_id AND kind = 'voice'
      AND status IN ('created', 'queued', 'starting', 'running', 'paused')
    """
)
_LOCK_TOGETHER = text("SELECT pg_advisory_xact_lock_shared(:lock_class, :organization)")
_LOCK_ALONE = text("SELECT pg_advisory_xact_lock(:lock_class, :organization)")


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How many voice sessions an organization may have at the same time; 0: as many as it likes.

    Attributes:
        concurrent: queued, starting, running or paused, or waiting for their `start_at`: when that comes, there is a
            place for each that was accepted.
        queued: in the queue, or waiting for their `start_at`.
    """

    concurrent: int
    queued: int


@dataclass(frozen=True, slots=True)
class Load:
    """How many voice sessions an organization has, in the words of `SessionLimits`."""

    concurrent: int
    queued: int

    def of(self, limits: SessionLimits) -> tuple[tuple[str, int, int], ...]:
        """What is limited: name, how many there are, how many there may be."""
        both = (
            ("concurrent_sessions", self.concurrent, limits.concurrent),
            ("queued_sessions", self.queued, limits.queued),
        )
        return tuple(one for one in both if one[2])


UNLIMITED = SessionLimits(0, 0)


async def count_sessions(conn: AsyncConnection, organization_id: UUID) -> Load:
    """How many the organization has, as this transaction sees it."""
    row = (await conn.execute(_COUNT, {"organization_id": organization_id})).one()
    return Load(row.concurrent, row.queued)


async def keep_quota(conn: AsyncConnection, organization_id: UUID, limits: SessionLimits) -> Load | None:
    """Count the organization's sessions, with the one that this transaction has just added, until it ends.

    Returns:
        How many there are; None without a limit.

    Raises:
        ParleyError: `quota.sessions` with `limit` and `used`: it would be one too many.
        DatabaseBusyError: the organization came near its limits meanwhile; the same again may succeed.
    """
    if limits == UNLIMITED:
        return None
    far = _is_far(await count_sessions(conn, organization_id), limits)
    key = {"lock_class": _LOCK_CLASS, "organization": organization_id.int & 0x7FFF_FFFF}
    await conn.execute(_LOCK_TOGETHER if far else _LOCK_ALONE, key)
    load = await count_sessions(conn, organization_id)
    if far and not _is_far(load, limits):
        raise DatabaseBusyError
    for name, used, limit in load.of(limits):
        if used > limit:
            raise ParleyError(
                "quota.sessions",
                f"the organization may have {limit} {name.replace('_', ' ')}, and has them",
                extra={"limit": limit, "used": used - 1, "retry_after_seconds": RETRY_AFTER_SECONDS},
            )
    return load


def _is_far(load: Load, limits: SessionLimits) -> bool:
    return all(used <= limit - CREATIONS_AT_ONCE for _, used, limit in load.of(limits))
