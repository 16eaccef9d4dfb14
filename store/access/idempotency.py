"""Idempotency keys: one request with a key runs, later ones with the same key get its answer (docs/api.md).

The first request inserts a row in a short transaction of its own, so that the same request in another process sees it
at once; the answer is written by the transaction that does the work. Only 2xx answers are kept, and no row holds a
token: the fingerprint leaves it out, the answer shows `"[redacted]"`.

A row in flight is a lease. The process renews it for as long as it runs the request, so a process that died, and a
request that ended without giving its key back, cost a repetition the lease and no more. A lease is rows and statements
only, with nothing that lives in a connection, so it does not matter which connection a statement gets. Who comes upon a
lease that has run out watches it for `WATCH_SECONDS` before taking it: after an outage those who live renew first.
"""

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, RowMapping, and_, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.errors import DatabaseError, ParleyError
from store.access.answer_bytes import count_answer, kept_answer_bytes
from store.database.database import Database
from store.database.tables import idempotency_keys as keys
from store.database.tables import sessions
from store.jobs.purge import KEPT_HOURS

KEPT = timedelta(hours=KEPT_HOURS)
LEASE_SECONDS = 5.0
RENEW_SECONDS = 1.0
WATCH_SECONDS = 1.5 * RENEW_SECONDS
WAIT_SECONDS = 2.0

LOOK_SECONDS = 5.0  # so old may be what is known of an organization's answers

_FULL_RETRY_SECONDS = 3600  # answers go by the hour
_MOST_LOOKED = 10_000  # organizations
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
    agent_id: str
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
        await count_answer(conn, self.organization_id, body)

    async def keep(self, conn: AsyncConnection, status: int, body: bytes, session_id: UUID | None) -> None:
        """`store`, for a transaction that doesn't hold the session's row; keeps nothing of a session that is erased."""
        held = session_id is None or await _hold(conn, session_id)
        await self.store(conn, status, body if held else None, session_id)

    async def revise(self, conn: AsyncConnection, body: bytes) -> None:
        """Put another body into the place of the one that was stored; its status stays."""
        await conn.execute(update(keys).where(self._held(), keys.c.body.is_not(None)).values(body=body))

    def mine(self) -> ColumnElement[bool]:
        """Matches this ticket's row while it is in flight and nobody has taken over."""
        return and_(self._held(), keys.c.status.is_(None))

    def place(self) -> dict[str, object]:
        """The columns that no two rows have in common."""
        return {
            "organization_id": self.organization_id,
            "agent_id": self.agent_id,
            "route": self.route,
            "key": self.key,
        }

    def _held(self) -> ColumnElement[bool]:
        return and_(*(keys.c[name] == value for name, value in self.place().items()), keys.c.holder == self.holder)


class Idempotency:
    """Gives each key to one request at a time.

    Args:
        wait_seconds: how long a repetition waits for the answer of the first request.
        lease_seconds: without a renewal for so long, the process that ran the first request is taken for dead.
    """

    def __init__(
        self, db: Database, *, wait_seconds: float = WAIT_SECONDS, lease_seconds: float = LEASE_SECONDS
    ) -> None:
        self._db = db
        self._wait_seconds = wait_seconds
        self._lease = timedelta(seconds=lease_seconds)
        self._held: set[IdempotencyTicket] = set()
        self._looked: dict[UUID, tuple[float, int]] = {}

    async def begin(
        self,
        organization_id: UUID,
        route: str,
        key: str,
        fingerprint: bytes,
        *,
        agent_id: str | None = None,
        most_bytes: int = 0,
    ) -> Replay | IdempotencyTicket:
        """A ticket for the first request with `key`, the kept answer for the later ones.

        Args:
            route: method and path template; keys are kept per organization, agent and route.
            fingerprint: SHA-256 of the body without the worker token.
            agent_id: whose API key sent it, so that agents neither learn of nor take each other's keys; None: one that
                is no agent's.
            most_bytes: of answers that the organization may have; 0: as many as it likes. Known for `LOOK_SECONDS`.

        Raises:
            ParleyError: `quota.answers` with `limit` and `used`, in bytes: it has them, and the key has no answer.
            ParleyError: `idempotency.in_progress` when the first is still running after 2 s,
                `idempotency.key_reused` when it had another fingerprint, `not_found` when the session has been erased.
            DatabaseError: nothing has begun; the key may stay taken until the lease has run out.
        """
        ticket = IdempotencyTicket(organization_id, agent_id or "", route, key, uuid4())
        deadline = time.monotonic() + self._wait_seconds
        delay = _FIRST_DELAY_SECONDS
        watch = _Watch()
        await self._keep_quota(ticket, most_bytes)
        while True:
            async with self._db.begin() as conn:
                row = await self._take_or_read(conn, ticket, fingerprint, watch.given_up())
            if row is None:
                return ticket
            watch.look(row["renewed_at"] if row["lapsed"] else None)
            if row["fingerprint"] != fingerprint and not row["lapsed"]:
                raise ParleyError("idempotency.key_reused", "this Idempotency-Key was used with another body")
            if row["status"] is not None and row["body"] is None:
                raise ParleyError("not_found", "what this request was about has been deleted")
            if row["status"] is not None:
                return Replay(row["status"], row["body"])
            if time.monotonic() >= deadline and not row["lapsed"]:
                raise ParleyError(
                    "idempotency.in_progress",
                    "the first request with this Idempotency-Key is still running",
                    extra={"retry_after_seconds": 1},
                )
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY_SECONDS)

    async def _keep_quota(self, ticket: IdempotencyTicket, most_bytes: int) -> None:
        if not most_bytes:
            return
        organization_id, now = ticket.organization_id, time.monotonic()
        looked_at, used = self._looked.get(organization_id, (-math.inf, 0))
        if now - looked_at >= LOOK_SECONDS:
            async with self._db.begin() as conn:
                used = await kept_answer_bytes(conn, organization_id)
            self._looked[organization_id] = now, used
            if len(self._looked) > _MOST_LOOKED:
                self._looked.pop(next(iter(self._looked)))
        if used < most_bytes:
            return
        same_key = and_(*(keys.c[name] == value for name, value in ticket.place().items()))
        async with self._db.begin() as conn:
            if (await conn.execute(select(keys.c.key).where(same_key))).one_or_none() is None:
                raise ParleyError(
                    "quota.answers",
                    "the organization's Idempotency-Keys keep as many bytes of answers as they may",
                    extra={"limit": most_bytes, "used": used, "retry_after_seconds": _FULL_RETRY_SECONDS},
                )

    @contextmanager
    def held(self, ticket: IdempotencyTicket) -> Iterator[None]:
        """This process runs the request in this block, and renews its lease (`renew`)."""
        self._held.add(ticket)
        try:
            yield
        finally:
            self._held.discard(ticket)

    async def renew(self) -> None:
        """Renew the leases of all requests that this process runs. To be called every `RENEW_SECONDS`.

        Raises:
            DatabaseError: none was renewed.
        """
        if not self._held:
            return
        held = list(self._held)
        async with self._db.begin() as conn:
            await conn.execute(
                _RENEW,
                {
                    "organizations": [ticket.organization_id for ticket in held],
                    "agents": [ticket.agent_id for ticket in held],
                    "routes": [ticket.route for ticket in held],
                    "keys": [ticket.key for ticket in held],
                    "holders": [ticket.holder for ticket in held],
                },
            )

    async def release(self, ticket: IdempotencyTicket) -> None:
        """Give the key back after a failure, so that the request can be repeated. An answer that was kept stays."""
        with suppress(DatabaseError):  # then its lease runs out
            async with self._db.begin() as conn:
                await conn.execute(delete(keys).where(ticket.mine()))

    async def _take_or_read(
        self, conn: AsyncConnection, ticket: IdempotencyTicket, fingerprint: bytes, given_up: datetime | None
    ) -> RowMapping | None:
        """Take the key for the ticket and return None, or return the row of the request that has it.

        Args:
            given_up: when the lease that may be taken over was renewed last.
        """
        place = ticket.place()
        now = func.clock_timestamp()
        taken = {"fingerprint": fingerprint, "holder": ticket.holder, "created_at": now, "renewed_at": now}
        free = or_(keys.c.created_at < now - KEPT, and_(self._lapsed(), keys.c.renewed_at == given_up))
        new = insert(keys).values(**place, **taken).on_conflict_do_nothing().returning(keys.c.holder)
        while (await conn.execute(new)).one_or_none() is None:
            same_key = and_(*(keys.c[name] == value for name, value in place.items()))
            columns = (keys.c.fingerprint, keys.c.status, keys.c.body, keys.c.renewed_at)
            read = select(*columns, self._lapsed().label("lapsed"), free.label("free")).where(same_key)
            row = (await conn.execute(read)).mappings().one_or_none()
            if row is not None and not row["free"]:
                return row
            if row is not None:
                again = update(keys).where(same_key, free).values(**taken, status=None, body=None, session_id=None)
                if (await conn.execute(again.returning(keys.c.holder))).one_or_none() is not None:
                    return None
        return None

    def _lapsed(self) -> ColumnElement[bool]:
        return and_(keys.c.status.is_(None), keys.c.renewed_at < func.clock_timestamp() - self._lease)


class _Watch:
    """How long a repetition has seen a lease that had run out, without a renewal."""

    def __init__(self) -> None:
        self._renewed_at: datetime | None = None
        self._since = 0.0

    def look(self, renewed_at: datetime | None) -> None:
        """What the row says now: when a lease that has run out was renewed last, None for any other row."""
        if renewed_at != self._renewed_at:
            self._renewed_at, self._since = renewed_at, time.monotonic()

    def given_up(self) -> datetime | None:
        """The lease that may be taken, by its last renewal."""
        return self._renewed_at if time.monotonic() - self._since >= WATCH_SECONDS else None


# A row that is locked has a transaction that stores its answer; whoever would take it over waits for that as well.
_RENEW = text(
    """
    WITH held AS (
        SELECT one.ctid
        FROM unnest(
            CAST(:organizations AS uuid[]), CAST(:agents AS text[]), CAST(:routes AS text[]), CAST(:keys AS text[]),
            CAST(:holders AS uuid[])
        ) AS mine (organization_id, agent_id, route, key, holder)
        JOIN idempotency_keys AS one USING (organization_id, agent_id, route, key, holder)
        WHERE one.status IS NULL
        FOR UPDATE OF one SKIP LOCKED
    )
    UPDATE idempotency_keys SET renewed_at = clock_timestamp() FROM held WHERE idempotency_keys.ctid = held.ctid
    """
)


async def erase_answers(conn: AsyncConnection, session_id: UUID) -> None:
    """Erase the answers about a session. Their keys stay in use: a repetition must not do the work again."""
    await conn.execute(update(keys).where(keys.c.session_id == session_id).values(body=None))


async def _hold(conn: AsyncConnection, session_id: UUID) -> bool:
    """Keep the session from being erased until the end of the transaction; False when it is gone."""
    query = select(sessions.c.id).where(sessions.c.id == session_id).with_for_update(key_share=True, read=True)
    return (await conn.execute(query)).one_or_none() is not None
