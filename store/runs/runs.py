"""What a worker writes about its runs: joined, stopped, sealed, handed over. All of it under the fence."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from sessions.lifecycle.lifecycle import SETTLED, TERMINAL, Event, Status
from sessions.lifecycle.stop import Stop
from sessions.session import Session
from store.access.token_rows import put_token
from store.access.vault import Slot, TokenVault
from store.database.database import Database
from store.jobs.deferring import defer_finalize
from store.lifecycle import events
from store.lifecycle.leftovers import mark_leftovers
from store.lifecycle.locked_session import lock_session
from store.lifecycle.session_rows import read_session
from store.lifecycle.transitions import apply, stop_session
from store.runs.beat_writing import Beat, BeatAnswer, write_beats
from store.runs.fence import Fence
from store.runs.fenced_session import lock_fenced_session
from store.runs.run_segments import RunSegments

_THIS_RUN = "session_id = :session_id AND epoch = :epoch AND owner = :owner"
_JOINED_AT = text(f"SELECT joined_at FROM runs WHERE {_THIS_RUN}")
# A worker that hands a session over records until this run's join evicts it, and its beats bill nothing any more: what
# it recorded since its last one is on the bill of this run, however long that was, as the join proves it. A pause is
# billed up to its beginning, so a run that joins in a pause begins its bill there.
_JOIN = text(
    f"""
    WITH seam AS (
        SELECT before.billed_at, greatest(before.billed_at, s.running_since) AS since,
               least(CAST(:at AS timestamptz), s.paused_at, s.ending_at,
                     s.started_at + make_interval(secs => s.max_duration_seconds)) AS until
        FROM runs before JOIN runs after ON after.session_id = before.session_id AND after.epoch = :epoch
        JOIN sessions s ON s.id = before.session_id
        WHERE before.session_id = :session_id AND before.epoch = :epoch - 1 AND before.released_at IS NOT NULL
          AND NOT before.lost AND (before.sealed_at IS NULL OR before.sealed_at >= after.claimed_at)
    ), owed AS (
        SELECT *, greatest(0, floor(extract(epoch FROM until - since) * 1000))::bigint AS ms FROM seam
    )
    UPDATE runs SET joined_at = :at, beat_at = greatest(beat_at, :at), segments = :segments,
        billable_ms = billable_ms + coalesce((SELECT ms FROM owed), 0),
        billed_at = coalesce(
            (SELECT since + ms * interval '1 millisecond' FROM owed WHERE until > since),
            least(:at, (SELECT billed_at FROM owed), (SELECT paused_at FROM sessions WHERE id = :session_id)))
    WHERE {_THIS_RUN} AND sealed_at IS NULL
    """
).bindparams(bindparam("segments", RunSegments().document, type_=JSONB))
_NOW = text("SELECT clock_timestamp()")
# A run of an older release, which salvage seals, keeps its null: its numbers have holes that mean nothing.
_SEAL = text(
    f"""
    UPDATE runs SET sealed_at = statement_timestamp(), segments = CASE WHEN segments IS NOT NULL THEN :segments END
    WHERE {_THIS_RUN} AND sealed_at IS NULL
    """
).bindparams(bindparam("segments", type_=JSONB))
_UNSEALED = text("SELECT EXISTS (SELECT FROM runs WHERE session_id = :session_id AND sealed_at IS NULL)")
_NEWEST_TOKEN = text(
    "SELECT slot, sealed FROM worker_tokens WHERE session_id = :session_id ORDER BY expires_at DESC LIMIT 1"
)


class Runs:
    """The worker's side of `runs` and of its sessions' rows."""

    def __init__(self, db: Database, vault: TokenVault) -> None:
        self._db = db
        self._vault = vault

    async def mark_running(self, fence: Fence, joined_at: datetime | None = None) -> Session:
        """Note that the room is joined and the spool is open. On the first run this instant is `started_at`, sample 0.

        Repeated after a lost answer, or when the session had ended before, it changes nothing.

        Args:
            joined_at: when that was, for a session that goes on; None: now.

        Raises:
            Replaced: another run has the session.
        """
        async with self._db.begin() as conn:
            locked = await lock_fenced_session(conn, fence)
            run = fence.parameters
            session = await read_session(conn, fence.session_id)
            if (await conn.execute(_JOINED_AT, run)).scalar_one() is not None:
                return session
            if locked.status is Status.STARTING:
                await apply(conn, locked, Event.JOINED)
                session = await read_session(conn, fence.session_id)
                await conn.execute(_JOIN, {**run, "at": session.started_at})
                return session
            now: datetime = (await conn.execute(_NOW)).scalar_one()
            at = now if joined_at is None else min(joined_at, now)
            if locked.status not in SETTLED or (session.ending_at is not None and at < session.ending_at):
                await conn.execute(_JOIN, {**run, "at": at})
            if locked.status not in SETTLED:
                await events.append(
                    conn,
                    locked.id,
                    f"session.{locked.status}",
                    epoch=locked.epoch,
                    status_from=locked.status,
                    status_to=locked.status,
                )
            return session

    async def beat(self, owner: UUID, beats: Sequence[Beat], stalled_seconds: float) -> BeatAnswer:
        """All beats of a process in one statement; see `store.runs.beat_writing`."""
        async with self._db.begin() as conn:
            return await write_beats(conn, owner, beats, stalled_seconds)

    async def enter_ending(self, fence: Fence, stop: Stop) -> Session:
        """Write a stop that the worker found. A session that never ran is terminal at once; else it is `ending`.

        A session that somebody has stopped already stays as it is.

        Raises:
            Replaced: another run has the session.
        """
        async with self._db.begin() as conn:
            locked = await lock_fenced_session(conn, fence)
            if not locked.settled:
                await stop_session(conn, locked, stop)
            return await read_session(conn, fence.session_id)

    async def seal(self, fence: Fence, segments: RunSegments = RunSegments()) -> None:  # noqa: B008 it never changes
        """Note that this run is complete: its spool is uploaded. A replaced run may be sealed, too.

        When it was the last one of an `ending` session, the finalize job is deferred. What was stored of a session
        that is over or gone by then is looked for and removed.

        Args:
            fence: of the run; sealed again, it stays as the first seal left it.
            segments: all that the run stored, which nobody looks up in the object storage any more.
        """
        async with self._db.begin() as conn:
            locked = await lock_session(conn, fence.session_id)
            if locked is None or locked.status in TERMINAL:
                await mark_leftovers(conn, fence.session_id)  # whatever it has stored came too late
            if locked is None:
                return
            await conn.execute(_SEAL, {**fence.parameters, "segments": segments.document})
            if locked.status is Status.ENDING:
                unsealed = (await conn.execute(_UNSEALED, {"session_id": fence.session_id})).scalar_one()
                if not unsealed:
                    await defer_finalize(conn, fence.session_id)

    async def save_token(self, fence: Fence, token: SecretStr, expires_at: datetime) -> None:
        """Keep the token that the LiveKit server refreshed, beside the customer's; nothing once the session ends.

        Raises:
            Replaced: another run has the session.
        """
        async with self._db.begin() as conn:
            locked = await lock_fenced_session(conn, fence)
            if not locked.settled:
                await put_token(conn, self._vault, fence.session_id, Slot.REFRESHED, token, expires_at)

    async def newest_token(self, fence: Fence) -> SecretStr | None:
        """The token to join with now, of the two slots the one that expires later; None once the session ends.

        Raises:
            Replaced: another run has the session.
            TokenUnreadableError: no secret key opens it.
        """
        async with self._db.begin() as conn:
            await lock_fenced_session(conn, fence)
            row = (await conn.execute(_NEWEST_TOKEN, {"session_id": fence.session_id})).one_or_none()
        return None if row is None else self._vault.open(fence.session_id, row.slot, row.sealed)
