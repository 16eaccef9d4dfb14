"""Claiming sessions: the only place that raises an epoch."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.lifecycle import Event, Status, advance, sources
from sessions.session import Session
from store import events, ledger
from store.database import Database
from store.fence import Fence
from store.session_rows import session_select, to_session
from store.tables import sessions
from store.transitions import CLAIM_CHANNEL, SESSION_CHANNEL, apply, lock_session, notify
from store.vault import TokenUnreadableError, TokenVault

SHORT_RUN_MS = 30_000  # a run lost with less proven than this counts towards a crash loop
LOST_RUNS_BEFORE_ALONE = 3
LOST_ALONE_BEFORE_FAILED = 2
QUEUED_AT_ONCE = 200  # the oldest; far more than one process takes, so that several at once find enough


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


_CLAIMABLE = ", ".join(f"'{status}'" for status in sorted(sources(Event.CLAIM)))

# The run before was lost, unless it was handed over. "In a row" ends with a run that was not, or that proved enough.
_LOST = "(r.epoch IS NOT NULL AND (r.lost OR r.released_at IS NULL))"
# A pause bills nothing, but its beats prove that the run lives.
_PROVEN_MS = "greatest(r.billable_ms, extract(epoch FROM r.beat_at - r.joined_at) * 1000)"
_LOST_SHORT = f"({_LOST} AND {_PROVEN_MS} < {SHORT_RUN_MS})"
_LOST_RUNS = f"(CASE WHEN {_LOST_SHORT} THEN s.lost_runs + 1 ELSE 0 END)"
_LOST_ALONE = f"(CASE WHEN {_LOST_SHORT} THEN s.lost_alone + r.alone::int ELSE 0 END)"

# Of the thousands of sessions that run, hardly one is claimable. Indexes know the queued ones and those that were
# released lately and are not sealed; only a thorough look, which reads all that run, finds the others.
_EASY = f"""
    AND s.id = ANY(ARRAY(
        (SELECT id FROM sessions WHERE kind = 'voice' AND status = 'queued' ORDER BY id LIMIT {QUEUED_AT_ONCE})
        UNION ALL (SELECT session_id FROM runs WHERE released_at > statement_timestamp() - interval '1 hour'
                   AND sealed_at IS NULL)))
    """


# One flat SELECT: its conditions are judged again on a row that another claimer has just changed.
def _candidates(where: str) -> TextClause:
    return text(
        f"""
        SELECT s.id, s.status, {_LOST} AS lost, {_LOST_RUNS} AS lost_runs, {_LOST_ALONE} AS lost_alone
        FROM sessions s LEFT JOIN runs r ON r.session_id = s.id AND r.epoch = s.epoch
        WHERE s.kind = 'voice' AND s.status IN ({_CLAIMABLE}) AND s.id <> ALL(CAST(:known AS uuid[]))
          AND (s.status = 'queued' OR r.released_at IS NOT NULL
               OR (:may_judge_stale AND r.beat_at < statement_timestamp() - make_interval(secs => :stalled_seconds)))
          AND (:empty OR {_LOST_RUNS} < {LOST_RUNS_BEFORE_ALONE} OR {_LOST_ALONE} >= {LOST_ALONE_BEFORE_FAILED})
          {where}
        ORDER BY {_LOST_ALONE} >= {LOST_ALONE_BEFORE_FAILED} DESC, {_LOST_RUNS} >= {LOST_RUNS_BEFORE_ALONE} DESC,
                 s.status = 'queued', s.id
        LIMIT :free FOR NO KEY UPDATE OF s SKIP LOCKED
        """
    )


_CANDIDATES = {True: _candidates(""), False: _candidates(_EASY)}
_RELEASE_STALE = text(
    f"""
    UPDATE runs SET released_at = statement_timestamp(), lost = true
    WHERE (session_id, epoch) IN (
        SELECT r.session_id, r.epoch FROM sessions s JOIN runs r ON r.session_id = s.id AND r.epoch = s.epoch
        WHERE s.kind = 'voice' AND s.status IN ({_CLAIMABLE}) AND s.id <> ALL(CAST(:known AS uuid[]))
          AND r.released_at IS NULL
          AND r.beat_at < statement_timestamp() - make_interval(secs => :stalled_seconds)
        FOR UPDATE OF r SKIP LOCKED)
    """
)
_ACTIVE = text(f"SELECT count(*) FROM sessions WHERE kind = 'voice' AND status IN ({_CLAIMABLE})")
_CLOSE_PREVIOUS = text(
    """
    UPDATE runs r SET released_at = coalesce(r.released_at, statement_timestamp()), lost = taken.lost
    FROM unnest(CAST(:ids AS uuid[]), CAST(:lost AS boolean[])) AS taken (id, lost) JOIN sessions s USING (id)
    WHERE r.session_id = s.id AND r.epoch = s.epoch
    """
)
_RAISE_EPOCH = text(
    """
    WITH taken AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:targets AS text[]), CAST(:lost_runs AS int[]),
                             CAST(:lost_alone AS int[])) AS taken (id, target, lost_runs, lost_alone)
    ), claimed AS (
        UPDATE sessions s
        SET epoch = s.epoch + 1, status = taken.target, lost_runs = taken.lost_runs, lost_alone = taken.lost_alone,
            version = s.version + 1, updated_at = statement_timestamp(),
            recording_state = CASE WHEN s.recording_state = 'none' THEN 'pending' ELSE s.recording_state END
        FROM taken WHERE s.id = taken.id RETURNING s.id, s.epoch
    ), run AS (
        INSERT INTO runs (session_id, epoch, owner, host, alone, claimed_at, beat_at)
        SELECT id, epoch, :owner, :host, :alone, statement_timestamp(), statement_timestamp() FROM claimed
    )
    SELECT id, epoch FROM claimed
    """
)
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
                candidates = (await conn.execute(_CANDIDATES[thorough], parameters)).all()
                ids += await _take(conn, candidates, owner, host)
                if thorough:
                    self.active = (await conn.execute(_ACTIVE)).scalar_one()
                    if may_judge_stale and len(candidates) == parameters["free"]:
                        await _leave_stale_to_others(conn, parameters)
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
                await apply(conn, locked, Event.FAIL, code=error.code, message=error.message)


async def _leave_stale_to_others(conn: AsyncConnection, parameters: dict[str, Any]) -> None:
    """Release the stale runs that are too many for this process: from here on any look finds them."""
    if (await conn.execute(_RELEASE_STALE, parameters)).rowcount:
        await notify(conn, CLAIM_CHANNEL)


async def _take(conn: AsyncConnection, candidates: Sequence[Row[Any]], owner: UUID, host: str) -> list[UUID]:
    """Raise the epoch of the locked candidates, but for those that nobody should take any more."""
    hopeless = [row for row in candidates if row.lost_alone >= LOST_ALONE_BEFORE_FAILED]
    others = [row for row in candidates if row.lost_alone < LOST_ALONE_BEFORE_FAILED]
    dangerous = [row for row in others if row.lost_runs >= LOST_RUNS_BEFORE_ALONE]
    taken = dangerous[:1] or others
    closing = [*hopeless, *taken]
    if not closing:
        return []
    ids = [row.id for row in closing]
    await conn.execute(_CLOSE_PREVIOUS, {"ids": ids, "lost": [row.lost for row in closing]})
    await ledger.settle(conn, ids)
    for row in hopeless:
        locked = await lock_session(conn, row.id)
        assert locked is not None
        await apply(conn, locked, Event.FAIL, code="worker.crash_loop")
    if not taken:
        return []
    raised = await conn.execute(
        _RAISE_EPOCH,
        {
            "ids": [row.id for row in taken],
            "targets": [str(advance(Status(row.status), Event.CLAIM)) for row in taken],
            "lost_runs": [row.lost_runs for row in taken],
            "lost_alone": [row.lost_alone for row in taken],
            "owner": owner,
            "host": host,
            "alone": bool(dangerous),
        },
    )
    epochs = {row.id: row.epoch for row in raised}
    for row in taken:
        first = row.status == Status.QUEUED
        await events.append(
            conn,
            row.id,
            "session.starting" if first else "session.retrying",
            epoch=epochs[row.id],
            status_from=row.status,
            status_to=advance(Status(row.status), Event.CLAIM),
            code="worker.lost" if row.lost else None,
        )
        await notify(conn, SESSION_CHANNEL, str(row.id))
    return [row.id for row in taken]
