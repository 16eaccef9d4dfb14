"""Claims: a process finds sessions (`claim_candidates`), takes them (`claim_taking`) and gives them back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.lifecycle.blame import Place, place
from sessions.lifecycle.stop import Stop
from sessions.session import Session
from store.access.vault import Slot, TokenUnreadableError, TokenVault
from store.database.database import Database
from store.database.notify.channels import CLAIM_CHANNEL, notify
from store.database.tables import sessions
from store.lifecycle.locked_session import lock_session
from store.lifecycle.session_rows import session_select, to_session
from store.lifecycle.transitions import stop_session
from store.runs.claim_candidates import CLAIMABLE, count_active, find_candidates, find_suspects, leave_stale_to_others
from store.runs.claim_taking import take, within_joins
from store.runs.claimer import Claimer
from store.runs.fence import Fence
from store.runs.look import Look


@dataclass(frozen=True, slots=True)
class Claim:
    """A session that this process has now.

    Attributes:
        session: as after the claim; its `epoch` is the claim's.
        token: the worker token to join with, of the two slots the one that expires later.
        shared_key: of the room's end-to-end encryption, if the customer gave one.
        resumed: the session ran before; `started_at` stays sample 0.
        alone: nothing else may run in this process, because others have died with this session.
        previous_lost_at: when the run before was released or found lost.
        handed_over: the worker of the run before is stopping, and records until this run's join evicts it.
    """

    session: Session
    epoch: int
    token: SecretStr
    resumed: bool
    alone: bool
    previous_lost_at: datetime | None
    handed_over: bool
    shared_key: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class RunKey:
    """One run of a session."""

    session_id: UUID
    epoch: int


@dataclass(frozen=True, slots=True)
class DeadProcess:
    """A process whose runs nobody records any more.

    Attributes:
        owner: what its runs carry.
        lost: it ended without handing them over.
        pardoned: others died together with it, so that none of its sessions is to blame.
    """

    owner: UUID
    lost: bool
    pardoned: bool = False


@dataclass(frozen=True, slots=True)
class Suspect:
    """A session that waits for a process that is started for it.

    Attributes:
        run: the one that it lost last.
        alone: nothing else may run in that process.
    """

    run: RunKey
    alone: bool


# Claimed by this process, but the answer was lost: it does not know the run, so it has never sent a beat of it.
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
    SELECT s.id, r.alone, previous.released_at AS previous_released_at,
           coalesce(NOT previous.lost AND previous.sealed_at IS NULL, false) AS handed_over, token.slot, token.sealed,
           customer.sealed_shared_key
    FROM sessions s
    JOIN runs r ON r.session_id = s.id AND r.epoch = s.epoch
    LEFT JOIN runs previous ON previous.session_id = s.id AND previous.epoch = s.epoch - 1
    LEFT JOIN LATERAL (SELECT slot, sealed FROM worker_tokens WHERE session_id = s.id ORDER BY expires_at DESC LIMIT 1)
        token ON true
    LEFT JOIN worker_tokens customer ON customer.session_id = s.id AND customer.slot = 'customer'
    WHERE s.id = ANY(CAST(:ids AS uuid[])) ORDER BY s.id
    """
)
_RELEASE = text(
    """
    UPDATE runs SET released_at = statement_timestamp(), lost = :lost
    WHERE owner = :owner AND sealed_at IS NULL AND released_at IS NULL
      AND (CAST(:only AS uuid[]) IS NULL OR session_id = ANY(CAST(:only AS uuid[])))
    RETURNING session_id, epoch
    """
)
_BURY = text(
    """
    UPDATE runs r SET released_at = statement_timestamp(), lost = dead.lost, pardoned = dead.pardoned
    FROM unnest(CAST(:owners AS uuid[]), CAST(:lost AS boolean[]), CAST(:pardoned AS boolean[]))
        AS dead (owner, lost, pardoned)
    WHERE r.owner = dead.owner AND r.sealed_at IS NULL AND r.released_at IS NULL
    RETURNING r.owner, r.session_id, r.epoch
    """
)
_AWAY = text(
    f"""
    SELECT EXISTS (SELECT FROM sessions s JOIN runs r ON r.session_id = s.id AND r.epoch = s.epoch
                   WHERE s.id = ANY(CAST(:ids AS uuid[])) AND s.status IN ({CLAIMABLE})
                     AND (r.joined_at IS NULL OR r.released_at IS NOT NULL))
    """
)
_PARDON = text(
    """
    UPDATE runs r SET pardoned = true
    FROM unnest(CAST(:ids AS uuid[]), CAST(:epochs AS int[])) AS lost (session_id, epoch)
    WHERE r.session_id = lost.session_id AND r.epoch = lost.epoch
    """
)


class Claims:
    """Takes sessions for a process, and gives them back.

    `active` is how many sessions were queued or had a run at this process's last thorough look; `decide_look` needs it.
    `held_back`: the last call left queued sessions to others, as too many of their organization are being joined here.
    """

    def __init__(self, db: Database, vault: TokenVault) -> None:
        self.active = 0
        self.held_back = False
        self._db = db
        self._vault = vault

    async def claim(self, claimer: Claimer, look: Look) -> list[Claim]:
        """Up to `claimer.free` sessions, each with a run of this process: its own runs of a call whose answer was lost
        come first, then sessions that others have lost, then queued ones.

        A thorough look leaves to others what this process cannot take itself.

        Raises:
            DatabaseUnavailableError: call again.
        """
        if claimer.free < 1:
            return []
        async with self._db.begin() as conn:
            mine = {"owner": claimer.owner, "known": list(claimer.known), "free": claimer.free}
            ids = [row.session_id for row in await conn.execute(_UNKNOWN, mine)]
            asking = claimer.with_sessions(ids)
            if asking.free > 0 and not (await conn.execute(_ALONE, {"owner": claimer.owner})).scalar_one():
                candidates = await find_candidates(conn, asking, look)
                admitted = within_joins(candidates, asking)
                self.held_back = len(admitted) < len(candidates)
                ids += await take(conn, admitted, claimer)
                if look is Look.THOROUGH:
                    self.active = await count_active(conn)
                    if asking.may_judge_stale:
                        await leave_stale_to_others(conn, asking)
            claimed = await self._read(conn, ids)
        return await self._open_tokens(claimed, claimer.owner)

    async def release(self, owner: UUID, *, lost: bool, only: Collection[UUID] | None = None) -> list[RunKey]:
        """Give every unsealed run of a process to whoever claims it.

        Args:
            lost: the process died, or is blamed on them; else it goes on recording until its successor has joined.
            only: the sessions that are given; None: all.

        Returns:
            These runs.
        """
        values = {"owner": owner, "lost": lost, "only": None if only is None else list(only)}
        async with self._db.begin() as conn:
            rows = (await conn.execute(_RELEASE, values)).all()
            if rows:
                await notify(conn, CLAIM_CHANNEL)
        return [RunKey(row.session_id, row.epoch) for row in rows]

    async def bury(self, dead: Sequence[DeadProcess], pardoned: Sequence[RunKey] = ()) -> dict[UUID, list[RunKey]]:
        """Give every unsealed run of dead processes to whoever claims it, in one transaction with who is to blame.

        Args:
            pardoned: runs that were lost before, of processes with which some of `dead` have died together.

        Returns:
            The runs of each process that had some.
        """
        processes = {
            "owners": [process.owner for process in dead],
            "lost": [process.lost for process in dead],
            "pardoned": [process.pardoned for process in dead],
        }
        found: dict[UUID, list[RunKey]] = {}
        async with self._db.begin() as conn:
            if pardoned:
                ids, epochs = [run.session_id for run in pardoned], [run.epoch for run in pardoned]
                await conn.execute(_PARDON, {"ids": ids, "epochs": epochs})
            for row in await conn.execute(_BURY, processes):
                found.setdefault(row.owner, []).append(RunKey(row.session_id, row.epoch))
            if found or pardoned:
                await notify(conn, CLAIM_CHANNEL)
        return found

    async def suspects(self, waited_seconds: float) -> list[Suspect]:
        """Those that wait for a process of their own, and have for so long."""
        async with self._db.begin() as conn:
            rows = await find_suspects(conn, waited_seconds)
        return [Suspect(RunKey(row.id, row.epoch), place(row.blamed, row.blamed_alone) is Place.ALONE) for row in rows]

    async def all_back(self, sessions: Collection[UUID]) -> bool:
        """Whether each of these sessions, which have lost a run, is in its room again or needs no other run."""
        async with self._db.begin() as conn:
            return not (await conn.execute(_AWAY, {"ids": list(sessions)})).scalar_one()

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
                sealed_key = row.sealed_shared_key
                shared_key = None if sealed_key is None else self._vault.open(session.id, Slot.SHARED_KEY, sealed_key)
            except TokenUnreadableError as error:
                await self._give_up(Fence(session.id, session.epoch, owner), error)
                continue
            claims.append(
                Claim(
                    session=session,
                    epoch=session.epoch,
                    token=token,
                    resumed=session.started_at is not None,
                    alone=row.alone,
                    previous_lost_at=row.previous_released_at,
                    handed_over=row.handed_over,
                    shared_key=shared_key,
                )
            )
        return claims

    async def _give_up(self, fence: Fence, error: TokenUnreadableError) -> None:
        """Nobody can join with a token that cannot be opened; the other sessions of the claim don't suffer from it."""
        async with self._db.begin() as conn:
            locked = await lock_session(conn, fence.session_id)
            if locked is not None and locked.epoch == fence.epoch and not locked.settled:
                await stop_session(conn, locked, Stop.failed(error.code, error.message))
