"""The database's part in finalizing: the plan is frozen once, and the product is committed once.

The plan is written into one row when all runs are sealed, or when the others have been waited for long enough. Builders
read that row alone, so all of them make the same bytes; of two that commit, the second one's statement matches no row.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.billing.crediting import Credit, credits_of_failure, credits_of_recording
from sessions.ids import new_uuid
from sessions.lifecycle.lifecycle import Status, commit_event
from sessions.lifecycle.stop import Stop
from sessions.session import Session
from store.database.database import Database
from store.database.tables import recordings, runs, sessions
from store.lifecycle import events
from store.lifecycle.leftovers import mark_leftovers
from store.lifecycle.locked_session import LockedSession, lock_session
from store.lifecycle.pauses import read_pauses
from store.lifecycle.session_rows import read_session
from store.lifecycle.transitions import apply, overrule
from store.outputs.recording_files import open_files
from store.usage import ledger

ListSegments = Callable[[], Awaitable[Sequence[dict[str, Any]]]]


@dataclass(frozen=True, slots=True)
class FrozenPlan:
    """What a product is built from; the same for every builder.

    Attributes:
        session: as it is now. Only fields that never change in `ending` may shape the product.
        recording_id: of the `rec_…` id.
        segments: as `list_segments` gave them at the freeze.
        runs: per run {epoch, owner, claimed_at, joined_at, beat_at, released_at, lost, sealed, segments}, in order of
            epochs; times in RFC 3339 with microseconds. `sealed` is False for a run whose spool had not arrived in
            time. `segments` is the document of `RunSegments`; null where an older release recorded.
        pauses: {paused_at, resumed_at} each, oldest first; `resumed_at` is null for one that the end found open.
    """

    session: Session
    recording_id: UUID
    frozen_at: datetime
    segments: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    pauses: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class NotReady:
    """There is nothing to build: runs are still draining (the last seal defers the job again), or it is finalized."""

    status: Status | None
    unsealed: int


@dataclass(frozen=True, slots=True)
class Product:
    """What was built and stored.

    Attributes:
        gaps: {start_ms, end_ms, code} each.
        absences: {start_ms, end_ms} of each stretch in which nobody was in the room.
        incomplete: some gap is the platform's fault; `reason` is then its code.
    """

    object_key: str
    sha256: str
    size_bytes: int
    duration_ms: int
    sample_rate: int
    channels: int
    peak_dbfs: float | None
    tracks: list[dict[str, Any]]
    gaps: list[dict[str, Any]]
    absences: list[dict[str, Any]]
    incomplete: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """What a committed recording says of itself: what is made of the segments later has as much, or says so.

    Attributes:
        tracks: {identity, samples, …} each.
        gaps: {start_ms, end_ms, code, …} each, in the file's times.
    """

    tracks: Sequence[dict[str, Any]] = ()
    gaps: Sequence[dict[str, Any]] = ()


_ATTEMPT = text(
    "UPDATE sessions SET finalize_attempted_at = statement_timestamp() WHERE id = :id AND status = 'ending'"
)
# A run that still beats is draining, however long its upload takes; the finalize deadline bounds that.
_BILL = text(
    """
    SELECT (SELECT coalesce(sum(billable_ms), 0)::bigint FROM runs WHERE session_id = :id) AS billable_ms,
        (SELECT coalesce(sum(credits), 0) FROM usage_events WHERE session_id = :id) AS credits
    """
)
_DRAINING = text(
    """
    SELECT count(*) FROM runs r JOIN sessions s ON s.id = r.session_id
    WHERE s.id = :id AND r.sealed_at IS NULL
      AND greatest(r.beat_at, s.ending_at) > statement_timestamp() - make_interval(secs => :salvage_seconds)
    """
)
_FREEZE = text(
    """
    INSERT INTO recordings (session_id, id, plan, frozen_at) VALUES (:id, :recording_id, :plan, statement_timestamp())
    ON CONFLICT (session_id) DO NOTHING
    """
).bindparams(bindparam("plan", type_=JSONB))


class Freezes:
    """Freezes and commits recordings."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def freeze(
        self, session_id: UUID, salvage_seconds: float, list_segments: ListSegments
    ) -> FrozenPlan | NotReady:
        """The plan of an `ending` session. The first call that need not wait for a run makes it, later calls read it.

        Args:
            salvage_seconds: how long an unsealed run is waited for, from the later of its last beat and `ending_at`.
            list_segments: every stored segment of the session, as JSON objects; called outside of any transaction.
        """
        async with self._db.begin() as conn:
            await conn.execute(_ATTEMPT, {"id": session_id})
            ready = await _ready(conn, session_id, salvage_seconds)
            if ready is not None:
                return ready
            if (frozen := await _read_plan(conn, session_id)) is not None:
                return frozen
        segments = [dict(segment) for segment in await list_segments()]
        async with self._db.begin() as conn:
            await lock_session(conn, session_id)
            ready = await _ready(conn, session_id, salvage_seconds)
            if ready is not None:
                return ready
            plan = {
                "segments": segments,
                "runs": await _runs(conn, session_id),
                "pauses": await _pauses(conn, session_id),
            }
            await conn.execute(_FREEZE, {"id": session_id, "recording_id": new_uuid(), "plan": plan})
            await ledger.stop_billing(conn, session_id)
            frozen = await _read_plan(conn, session_id)
        assert frozen is not None
        return frozen

    async def frozen(self, session_id: UUID) -> FrozenPlan | None:
        """The plan that is frozen; None when there is none yet."""
        async with self._db.begin() as conn:
            return await _read_plan(conn, session_id)

    async def committed(self, session_id: UUID) -> Committed:
        """What the recording of a session says; nothing where there is none."""
        query = select(recordings.c.tracks, recordings.c.gaps).where(recordings.c.session_id == session_id)
        async with self._db.begin() as conn:
            row = (await conn.execute(query)).one_or_none()
        return Committed() if row is None else Committed(row.tracks or (), row.gaps or ())

    async def commit(self, session_id: UUID, epoch: int, product: Product) -> bool:
        """Make the product public and the session terminal, in one transaction.

        Returns:
            Whether it was this call that did it; False: another one was faster, or the session is not `ending`.
        """
        async with self._db.begin() as conn:
            locked = await _lock_ending(conn, session_id, epoch)
            if locked is None:
                return False
            assert locked.outcome is not None
            stored = await conn.execute(
                update(recordings)
                .where(recordings.c.session_id == session_id)
                .values(
                    committed_at=func.statement_timestamp(),
                    object_key=product.object_key,
                    sha256=product.sha256,
                    size_bytes=product.size_bytes,
                    duration_ms=product.duration_ms,
                    sample_rate=product.sample_rate,
                    channels=product.channels,
                    peak_dbfs=product.peak_dbfs,
                    tracks=product.tracks,
                    gaps=product.gaps,
                    absences=product.absences,
                )
            )
            if stored.rowcount != 1:
                return False
            state = "incomplete" if product.incomplete else "available"
            given = partial(credits_of_recording, product.duration_ms, product.gaps, product.absences)
            await _set_recording(conn, locked, state, product.reason, given)
            await open_files(conn, session_id)
            await apply(conn, locked, commit_event(locked.outcome))
            await mark_leftovers(conn, session_id)  # of others who have built it, too
            return True

    async def commit_without_product(
        self, session_id: UUID, epoch: int, *, code: str = "storage.write_failed", message: str | None = None
    ) -> bool:
        """Give up: the session becomes `failed` whatever its outcome was to be; its segments are kept.

        Returns:
            As `commit`.
        """
        async with self._db.begin() as conn:
            locked = await _lock_ending(conn, session_id, epoch)
            if locked is None:
                return False
            await fail_recording(conn, locked, code, message)
            return True


async def fail_recording(conn: AsyncConnection, locked: LockedSession, code: str, message: str | None = None) -> None:
    """Take a locked `ending` session to `failed` without a product."""
    await _set_recording(conn, locked, "failed", code, partial(credits_of_failure, code))
    await overrule(conn, locked, Stop.failed(code, message))
    await mark_leftovers(conn, locked.id)  # somebody may have built it nevertheless, or be about to


async def _set_recording(
    conn: AsyncConnection,
    locked: LockedSession,
    state: str,
    reason: str | None,
    credits_for: Callable[[int], Sequence[Credit]],
) -> None:
    await ledger.close(conn, locked.id, credits_for)
    bill = (await conn.execute(_BILL, {"id": locked.id})).one()
    data = {"billable_ms": bill.billable_ms, "credits": format(bill.credits, ".3f")}
    await events.append(conn, locked.id, "usage.finalized", epoch=locked.epoch, data=data)
    await conn.execute(
        update(sessions).where(sessions.c.id == locked.id).values(recording_state=state, recording_reason=reason)
    )
    await events.append(conn, locked.id, f"recording.{state}", epoch=locked.epoch, code=reason)


async def _lock_ending(conn: AsyncConnection, session_id: UUID, epoch: int) -> LockedSession | None:
    locked = await lock_session(conn, session_id)
    if locked is None or locked.status is not Status.ENDING or locked.epoch != epoch:
        return None
    return locked


async def _ready(conn: AsyncConnection, session_id: UUID, salvage_seconds: float) -> NotReady | None:
    status = (await conn.execute(select(sessions.c.status).where(sessions.c.id == session_id))).scalar_one_or_none()
    if status != Status.ENDING:
        return NotReady(None if status is None else Status(status), 0)
    parameters = {"id": session_id, "salvage_seconds": salvage_seconds}
    unsealed = (await conn.execute(_DRAINING, parameters)).scalar_one()
    return NotReady(Status.ENDING, unsealed) if unsealed else None


async def _read_plan(conn: AsyncConnection, session_id: UUID) -> FrozenPlan | None:
    row = (
        await conn.execute(
            select(recordings.c.id, recordings.c.plan, recordings.c.frozen_at).where(
                recordings.c.session_id == session_id
            )
        )
    ).one_or_none()
    if row is None:
        return None
    return FrozenPlan(
        session=await read_session(conn, session_id),
        recording_id=row.id,
        frozen_at=row.frozen_at,
        segments=row.plan["segments"],
        runs=row.plan["runs"],
        pauses=row.plan.get("pauses", []),
    )


async def _pauses(conn: AsyncConnection, session_id: UUID) -> list[dict[str, Any]]:
    return [
        {"paused_at": _exact(pause.paused_at), "resumed_at": _exact(pause.resumed_at)}
        for pause in await read_pauses(conn, session_id)
    ]


async def _runs(conn: AsyncConnection, session_id: UUID) -> list[dict[str, Any]]:
    rows = await conn.execute(select(runs).where(runs.c.session_id == session_id).order_by(runs.c.epoch))
    return [
        {
            "epoch": row.epoch,
            "owner": str(row.owner),
            "claimed_at": _exact(row.claimed_at),
            "joined_at": _exact(row.joined_at),
            "beat_at": _exact(row.beat_at),
            "released_at": _exact(row.released_at),
            "lost": row.lost,
            "sealed": row.sealed_at is not None,
            "segments": row.segments,
        }
        for row in rows
    ]


def _exact(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(timespec="microseconds")
