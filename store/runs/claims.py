"""Claims: a process finds sessions (`claim_candidates`), takes them (`claim_taking`) and gives them back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.session import Session
from sessions.stop import Stop
from store.access.vault import TokenUnreadableError, TokenVault
from store.database.channels import CLAIM_CHANNEL, notify
from store.database.database import Database
from store.database.tables import sessions
from store.lifecycle.session_rows import session_select, to_session
from store.lifecycle.transitions import lock_session, stop_session
from store.runs.claim_candidates import count_active, find_candidates, leave_stale_to_others
from store.runs.claim_taking import take
from store.runs.fence import Fence


@dataclass(frozen=True, slots=True)
class Claim:
    """A session that this process has now.

    Attributes:
        session: as after the claim; its `epoch` is the claim's.
        token: the worker token to join with, of the two slots the one that expires later.
        token_slot: `customer` or `refreshed`.
        resumed: the session ran before; `started_at` stays sample 0.
        alone: nothing else may run in this process: others died with this session.
        previous_lost_at: when the run before was released or found lost.
    """

    session: Session
    epoch: int
    token: SecretStr
    token_slot: str
    resumed: bool
    alone: bool
    previous_lost_at: datetime | None


# Claimed, but the answer never arrived: a process that knows a run beats it.
_UNKNOWN = text(
    """
    SELECT r.session_id FROM runs r JOIN sessions s ON s.id = r.session_id AND s.epoch = r.epoch
    WHERE r.owner = :owner AND r.sealed_at IS NULL AND r.released_at IS NULL AND r.joined_at IS NULL
      AND r.beat_at = r.claimed_at AND s.status IN ('starting', 'running', 'paused')
      AND r.session_id <> ALL(CAST(:known AS uuid[]))
    ORDER BY r.session_id LIMIT :free
    """
)
_ALONE = text(
    """
    SELECT EXISTS (SELECT FROM runs r JOIN sessions s ON s.id = r.session_id AND s.epoch = r.epoch
                   WHERE r.owner = :owner AND r.alone AND r.sealed_at IS NULL
                     AND s.status IN ('starting', 'running', 'paused', 'ending'))
    """
)
_CLAIMED = text(
    """
    SELECT s.id, r.alone, previous.released_at AS previous_released_at, token.slot, token.sealed
    FROM sessions s
    JOIN runs r ON r.session_id = s.id AND r.epoch = s.epoch
    LEFT JOIN runs previous ON previous.session_id = s.id AND previous.epoch = s.epoch - 1
    LEFT JOIN LATERAL (SELECT slot, sealed FROM worker_tokens WHERE session_id = s.id ORDER BY expires_at DESC LIMIT 1)
        token ON true
    WHERE s.id = ANY(CAST(:ids AS uuid[])) ORDER BY s.id
    """
)
_RELEASE = text(
    """
    UPDATE runs SET released_at = statement_timestamp(), lost = :lost
    WHERE owner = :owner AND sealed_at IS NULL AND released_at IS NULL
    """
)


class Claims:
    """Takes sessions for a process, and gives them back.

    `active` is how many sessions were queued or had a run at the last thorough look.
    """

    def __init__(self, db: Database, vault: TokenVault) -> None:
        self.active = 0
        self._db = db
        self._vault = vault

    async def claim(
        self,
        owner: UUID,
        host: str,
        free: int,
        *,
        empty: bool,
        stalled_seconds: float,
        may_judge_stale: bool,
        known: Collection[UUID] | None = None,
        thorough: bool = True,
    ) -> list[Claim]:
        """Up to `free` sessions, lost ones first, each with a run of this process.

        Args:
            owner: this incarnation of the process.
            empty: the process has no session: it may take one that others died with, alone.
            may_judge_stale: this process's own polls have succeeded for `stalled_seconds`.
            known: the sessions that the process has. Given, runs of an earlier call whose answer was lost are
                returned first; a session in it is never claimed.
            thorough: also find stale runs, and released ones that are sealed. That reads a row per active session, so
                only one process in so many should, now and then. It leaves to the others what it cannot take itself.

        Raises:
            DatabaseUnavailableError: call again, with `known`.
        """
        if free < 1:
            return []
        async with self._db.begin() as conn:
            ids: list[UUID] = []
            if known is not None:
                mine = {"owner": owner, "known": list(known), "free": free}
                ids += [row.session_id for row in await conn.execute(_UNKNOWN, mine)]
            if len(ids) < free and not (await conn.execute(_ALONE, {"owner": owner})).scalar_one():
                parameters = {
                    "known": [*(known or ()), *ids],
                    "free": free - len(ids),
                    "empty": empty and not ids,
                    "may_judge_stale": may_judge_stale,
                    "stalled_seconds": stalled_seconds,
                }
                candidates = await find_candidates(conn, parameters, thorough=thorough)
                ids += await take(conn, candidates, owner, host)
                if thorough:
                    self.active = await count_active(conn)
                    if may_judge_stale and len(candidates) == parameters["free"]:
                        await leave_stale_to_others(conn, parameters)
            claimed = await self._read(conn, ids)
        return await self._open_tokens(claimed, owner)

    async def release(self, owner: UUID, *, lost: bool) -> int:
        """Give every unsealed run of a process to whoever claims it.

        Args:
            lost: the process died; else it goes on recording until its successor has joined.

        Returns:
            The number of runs.
        """
        async with self._db.begin() as conn:
            released = (await conn.execute(_RELEASE, {"owner": owner, "lost": lost})).rowcount
            if released:
                await notify(conn, CLAIM_CHANNEL)
        return released

    async def _read(self, conn: AsyncConnection, ids: Sequence[UUID]) -> list[tuple[Session, Row[Any]]]:
        if not ids:
            return []
        rows = (await conn.execute(session_select().where(sessions.c.id.in_(ids)))).all()
        found = {session.id: session for session in map(to_session, rows)}
        return [(found[row.id], row) for row in await conn.execute(_CLAIMED, {"ids": ids})]

    async def _open_tokens(self, claimed: Sequence[tuple[Session, Row[Any]]], owner: UUID) -> list[Claim]:
        claims = []
        for session, row in claimed:
            try:
                token = self._vault.open(session.id, row.slot, row.sealed)
            except TokenUnreadableError as error:
                await self._give_up(Fence(session.id, session.epoch, owner), error)
                continue
            claims.append(
                Claim(
                    session=session,
                    epoch=session.epoch,
                    token=token,
                    token_slot=row.slot,
                    resumed=session.started_at is not None,
                    alone=row.alone,
                    previous_lost_at=row.previous_released_at,
                )
            )
        return claims

    async def _give_up(self, fence: Fence, error: TokenUnreadableError) -> None:
        """Nobody can join with a token that cannot be opened; the other sessions of the claim don't suffer from it."""
        async with self._db.begin() as conn:
            locked = await lock_session(conn, fence.session_id)
            if locked is not None and locked.epoch == fence.epoch and not locked.settled:
                await stop_session(conn, locked, Stop.failed(error.code, error.message))
