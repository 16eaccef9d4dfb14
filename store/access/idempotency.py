"""Idempotency keys: one request with a key runs, later ones with the same key get its answer (docs/api.md).

The first request inserts a row in a short transaction of its own, so that the same request in another process sees it
at once; the answer is written by the transaction that does the work. Only 2xx answers are kept, and no row holds a
token: the fingerprint leaves it out, the answer shows `"[redacted]"`.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, RowMapping, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import DatabaseUnavailableError, ParleyError
from store.database.database import Database
from store.database.tables import idempotency_keys as keys
from store.database.tables import sessions
from store.jobs.purge import KEPT_HOURS

KEPT = timedelta(hours=KEPT_HOURS)
IN_FLIGHT = timedelta(seconds=60)  # without an answer for so long: the process that runs the request is taken for dead
WAIT_SECONDS = 2.0

_FIRST_DELAY_SECONDS = 0.02
_LONGEST_DELAY_SECONDS = 0.25


class TicketLostError(ParleyError):
    """The request took so long that a repetition of it has taken over; nothing of this one may be committed."""

    def __init__(self) -> None:
        super().__init__("idempotency.in_progress", "a repetition of this request has taken over")


@dataclass(frozen=True, slots=True)
class Replay:
    """The answer that the first request with this key got."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class IdempotencyTicket:
    """The right to run the request with this key."""

    organization_id: UUID
    route: str
    key: str
    holder: UUID

    async def store(
        self, conn: AsyncConnection, status: int, body: bytes | None, session_id: UUID | None = None
    ) -> None:
        """Write the answer, within the transaction that does the work.

        Args:
            session_id: what the body is about, so that erasing the session can erase it.

        Raises:
            TicketLostError: another request has taken over; the transaction must not be committed.
        """
        answer = (
            update(keys)
            .where(self.mine())
            .values(status=status, body=body, session_id=session_id)
            .returning(keys.c.holder)
        )
        if (await conn.execute(answer)).one_or_none() is None:
            raise TicketLostError

    async def keep(self, conn: AsyncConnection, status: int, body: bytes, session_id: UUID | None) -> None:
        """`store`, for a transaction that doesn't hold the session's row; keeps nothing of a session that is erased."""
        held = session_id is None or await _hold(conn, session_id)
        await self.store(conn, status, body if held else None, session_id)

    async def revise(self, conn: AsyncConnection, body: bytes) -> None:
        """Put another body into the place of the one that was stored; its status stays."""
        stored = and_(
            keys.c.organization_id == self.organization_id,
            keys.c.route == self.route,
            keys.c.key == self.key,
            keys.c.holder == self.holder,
        )
        await conn.execute(update(keys).where(stored, keys.c.body.is_not(None)).values(body=body))

    def mine(self) -> ColumnElement[bool]:
        """Matches this ticket's row while it is in flight and nobody has taken over."""
        return and_(
            keys.c.organization_id == self.organization_id,
            keys.c.route == self.route,
            keys.c.key == self.key,
            keys.c.holder == self.holder,
            keys.c.status.is_(None),
        )


class Idempotency:
    """Gives each key to one request at a time."""

    def __init__(self, db: Database, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._db = db
        self._wait_seconds = wait_seconds

    async def begin(
        self, organization_id: UUID, route: str, key: str, fingerprint: bytes
    ) -> Replay | IdempotencyTicket:
        """A ticket for the first request with `key`, the kept answer for the later ones.

        Args:
            route: method and path template; keys are kept per organization and route.
            fingerprint: SHA-256 of the body without the worker token.

        Raises:
            ParleyError: `idempotency.in_progress` when the first is still running after 2 s,
                `idempotency.key_reused` when it had another fingerprint, `not_found` when the session has been erased.
            DatabaseUnavailableError: nothing has begun.
        """
        ticket = IdempotencyTicket(organization_id, route, key, uuid4())
        deadline = time.monotonic() + self._wait_seconds
        delay = _FIRST_DELAY_SECONDS
        while True:
            async with self._db.begin() as conn:
                row = await _take_or_read(conn, ticket, fingerprint)
            if row is None:
                return ticket
            if row["fingerprint"] != fingerprint:
                raise ParleyError("idempotency.key_reused", "this Idempotency-Key was used with another body")
            if row["status"] is not None and row["body"] is None:
                raise ParleyError("not_found", "what this request was about has been deleted")
            if row["status"] is not None:
                return Replay(row["status"], row["body"])
            if time.monotonic() >= deadline:
                raise ParleyError(
                    "idempotency.in_progress",
                    "the first request with this Idempotency-Key is still running",
                    extra={"retry_after_seconds": 1},
                )
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY_SECONDS)

    async def release(self, ticket: IdempotencyTicket) -> None:
        """Give the key back after a failure, so that the request can be repeated. An answer that was kept stays."""
        with suppress(DatabaseUnavailableError):  # then the row expires after a minute
            async with self._db.begin() as conn:
                await conn.execute(delete(keys).where(ticket.mine()))


async def erase_answers(conn: AsyncConnection, session_id: UUID) -> None:
    """Erase the answers about a session. Their keys stay in use: a repetition must not do the work again."""
    await conn.execute(update(keys).where(keys.c.session_id == session_id).values(body=None))


async def _hold(conn: AsyncConnection, session_id: UUID) -> bool:
    """Keep the session from being erased until the end of the transaction; False when it is gone."""
    query = select(sessions.c.id).where(sessions.c.id == session_id).with_for_update(key_share=True, read=True)
    return (await conn.execute(query)).one_or_none() is not None


async def _take_or_read(conn: AsyncConnection, ticket: IdempotencyTicket, fingerprint: bytes) -> RowMapping | None:
    """Take the key for the ticket and return None, or return the row of the request that has it."""
    place = {"organization_id": ticket.organization_id, "route": ticket.route, "key": ticket.key}
    taken = {"fingerprint": fingerprint, "holder": ticket.holder, "created_at": func.clock_timestamp()}
    new = insert(keys).values(**place, **taken).on_conflict_do_nothing().returning(keys.c.holder)
    while (await conn.execute(new)).one_or_none() is None:
        same_key = and_(*(keys.c[name] == value for name, value in place.items()))
        read = select(keys.c.fingerprint, keys.c.status, keys.c.body, _expired().label("expired")).where(same_key)
        row = (await conn.execute(read)).mappings().one_or_none()
        if row is not None and not row["expired"]:
            return row
        if row is not None:
            again = update(keys).where(same_key, _expired()).values(**taken, status=None, body=None, session_id=None)
            if (await conn.execute(again.returning(keys.c.holder))).one_or_none() is not None:
                return None
    return None


def _expired() -> ColumnElement[bool]:
    now = func.clock_timestamp()
    return or_(keys.c.created_at < now - KEPT, and_(keys.c.status.is_(None), keys.c.created_at < now - IN_FLIGHT))
