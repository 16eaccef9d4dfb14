"""The sweeper: once a second it moves every session that is due by time alone. It runs in each API and supervisor.

One of them sweeps at a time (an advisory lock), in one short transaction. Each concern is one query, which finds
nothing most of the time; what it finds takes the same transitions as everything else. Most queries read an index that
holds only what is due. Two have to read every session that runs, and take their turn more seldom (`sweep_turns`).
"""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.lifecycle.lifecycle import Event, Status, sources
from sessions.lifecycle.stop import Stop
from sessions.settings import Settings
from sessions.texts.timestamps import format_timestamp
from store.database.boot_clock import SECOND_NS, boottime_ns
from store.database.database import Database
from store.events.expiry import expire_events
from store.events.numbering import number_events
from store.jobs.deferring import defer_finalize
from store.lifecycle import events
from store.lifecycle.leftovers import defer_due_leftovers
from store.lifecycle.locked_session import lock_held_session
from store.lifecycle.transitions import apply, stop_session
from store.outputs.freeze import fail_recording
from store.runs.poll_history import PollHistory
from store.sessions.unfinished_erasures import defer_unfinished_erasures
from store.sweeping.output_sweep import sweep_outputs
from store.sweeping.sweep_turns import SweepTurns
from store.usage import ledger

SWEEP_LOCK = 0x7377656570  # "sweep"
BATCH = 200  # sessions per concern and sweep; the rest is found a second later
SWEEP_SECONDS = 1.0
TOKEN_EXPIRING_SECONDS = 120
_WAITED_SECONDS = 5
_TURN_SECONDS = 0.9 * SWEEP_SECONDS
_LONGEST_PAUSE_SECONDS = 5 * SWEEP_SECONDS
# How often every session that runs is read, per window or interval: a session is found late by that part of it at most.
_LOOKS_PER_WINDOW = 60
_LOOKS_PER_INTERVAL = 12
_EVENT_RETENTION_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SweepResult:
    """How many sessions each concern moved; `swept` is False when another process was at it."""

    swept: bool
    due: int = 0
    queued_too_long: int = 0
    token_expired: int = 0
    token_expiring: int = 0
    max_duration: int = 0
    worker_lost: int = 0
    finalize_deadline: int = 0
    finalize_deferred: int = 0
    outputs_deferred: int = 0
    erasures_deferred: int = 0
    leftovers_deferred: int = 0
    usage_rows: int = 0
    events_expired: int = 0


def _found(condition: str, columns: str = "NULL::timestamptz AS at", first: str = "s.id") -> TextClause:
    return text(
        f"SELECT s.id, {columns} FROM sessions s WHERE s.kind = 'voice' AND {condition}"
        f" ORDER BY {first} LIMIT {BATCH} FOR NO KEY UPDATE OF s SKIP LOCKED"
    )


def _in(*statuses: Status) -> str:
    listed = ", ".join(f"'{status}'" for status in sorted(statuses))
    return f"s.status IN ({listed})"


def _older(stamp: str, parameter: str) -> str:
    return f"{stamp} < statement_timestamp() - make_interval(secs => :{parameter})"


# A subquery for each session: for a join the planner may read the runs of years.
_BEAT_AT = "(SELECT beat_at FROM runs WHERE session_id = s.id AND epoch = s.epoch)"
_JOINED_ONCE = sources(Event.PAUSE) | sources(Event.RESUME)
_CLAIMED = sources(Event.CLAIM) - {Status.QUEUED}
_MAX_END = "s.started_at + make_interval(secs => s.max_duration_seconds)"
_MAX_END_UTC = "(s.started_at AT TIME ZONE 'UTC') + make_interval(secs => s.max_duration_seconds)"  # as it is indexed

_DUE = _found(f"{_in(*sources(Event.DUE))} AND s.start_at <= statement_timestamp()", first="s.start_at")
_TOKEN_EXPIRED = _found(f"{_in(Status.QUEUED)} AND s.token_expires_at <= statement_timestamp()")
# Told once per token, and not of a session that a worker is just about to take.
_TOKEN_EXPIRING = _found(
    f"{_in(Status.QUEUED)} AND s.token_expires_at BETWEEN statement_timestamp()"
    f" AND statement_timestamp() + interval '{TOKEN_EXPIRING_SECONDS} seconds'"
    f" AND s.queued_at < statement_timestamp() - interval '{_WAITED_SECONDS} seconds'"
    " AND (SELECT type FROM session_events WHERE session_id = s.id"
    " AND type IN ('worker_token.expiring', 'worker_token.replaced') ORDER BY seq DESC LIMIT 1)"
    " IS DISTINCT FROM 'worker_token.expiring'",
    "s.token_expires_at AS at",
)
_QUEUED_TOO_LONG = _found(f"{_in(Status.QUEUED)} AND {_older('s.queued_at', 'queue_seconds')}")
_MAX_DURATION = _found(
    f"{_in(*_JOINED_ONCE)} AND {_MAX_END_UTC} <= statement_timestamp() AT TIME ZONE 'UTC'",
    f"{_MAX_END} AS at",
    _MAX_END_UTC,
)
_WORKER_LOST = _found(
    f"{_in(*_CLAIMED)} AND {_older(_BEAT_AT, 'takeover_window_seconds')}",
    # The lost worker's spool may hold what it heard until its own fence fell.
    f"{_BEAT_AT} + make_interval(secs => :stalled_seconds) AS at",
)
_FINALIZE_DEADLINE = _found(f"{_in(Status.ENDING)} AND {_older('s.ending_at', 'finalize_deadline_seconds')}")
_UNFINALIZED = _found(
    f"{_in(Status.ENDING)} AND " + _older("coalesce(s.finalize_attempted_at, s.ending_at)", "finalize_retry_seconds")
)
_ATTEMPTED = text(
    "UPDATE sessions SET finalize_attempted_at = statement_timestamp() WHERE id = ANY(CAST(:ids AS uuid[]))"
)


class Sweeper:
    """The sweeps of one process."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._history = PollHistory(longest_pause_ns=round(_LONGEST_PAUSE_SECONDS * SECOND_NS))

    async def sweep(self) -> SweepResult:
        """A round, if it is this process's turn. To be called every `SWEEP_SECONDS`.

        Raises:
            DatabaseUnavailableError: nothing was swept.
        """
        watched_seconds = self._history.good_for_ns(boottime_ns()) / SECOND_NS
        try:
            result = await sweep(self._db, self._settings, watched_seconds=watched_seconds, in_turn=True)
        except BaseException:
            self._history.failed()
            raise
        self._history.succeeded(boottime_ns())
        await number_events(self._db)
        return result


async def sweep(
    db: Database, settings: Settings, *, watched_seconds: float | None = None, in_turn: bool = False
) -> SweepResult:
    """One round.

    Args:
        watched_seconds: for how long the caller's sweeps have succeeded without a break. Less than `stalled_seconds`:
            workers may only just be reaching a database that was away, so none is taken for lost yet. None: any may be.
        in_turn: leave out concerns that another process has looked after lately; False: look after all of them.

    Raises:
        DatabaseUnavailableError: nothing was swept.
    """
    async with db.begin() as conn:
        if not (await conn.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": SWEEP_LOCK})).scalar_one():
            return SweepResult(swept=False)
        turns = SweepTurns(conn, in_turn=in_turn)
        if not await turns.take("sweep", _TURN_SECONDS):
            return SweepResult(swept=False)
        judge = watched_seconds is None or watched_seconds >= settings.stalled_seconds
        window = {
            "takeover_window_seconds": settings.takeover_window_seconds,
            "stalled_seconds": settings.stalled_seconds,
        }
        queue = {"queue_seconds": settings.queue_seconds}
        deadline = {"finalize_deadline_seconds": settings.finalize_deadline_seconds}
        result = SweepResult(
            swept=True,
            due=await _queue(conn),
            token_expired=await _stop(conn, _TOKEN_EXPIRED, {}, Stop.failed("worker_token.expired")),
            token_expiring=await _warn(conn),
            queued_too_long=await _stop(conn, _QUEUED_TOO_LONG, queue, Stop.failed("capacity.none")),
            max_duration=await _stop(conn, _MAX_DURATION, {}, Stop.ended("end.max_duration")),
            finalize_deadline=await _give_up_finalizing(conn, deadline),
            finalize_deferred=await _defer_again(conn, {"finalize_retry_seconds": settings.finalize_retry_seconds}),
            outputs_deferred=await sweep_outputs(conn, settings),
            erasures_deferred=await defer_unfinished_erasures(conn),
            leftovers_deferred=await defer_due_leftovers(conn),
        )
        lost = rows = expired = 0
        if judge and await turns.take("worker_lost", settings.takeover_window_seconds / _LOOKS_PER_WINDOW):
            lost = await _stop(conn, _WORKER_LOST, window, Stop.failed("worker.lost"))
        if await turns.take("usage", settings.usage_interval_seconds / _LOOKS_PER_INTERVAL):
            rows = await ledger.accrue(conn, settings.usage_interval_seconds)
            if rows >= ledger.ACCRUED_AT_ONCE:
                await turns.give_back("usage")
        if await turns.take("event retention", _EVENT_RETENTION_SECONDS):
            expired = await expire_events(conn, settings.event_retention_days)
            if expired:
                await turns.give_back("event retention")
        return replace(result, worker_lost=lost, usage_rows=rows, events_expired=expired)


async def _queue(conn: AsyncConnection) -> int:
    rows = (await conn.execute(_DUE)).all()
    for row in rows:
        await apply(conn, await lock_held_session(conn, row.id), Event.DUE)
    return len(rows)


async def _warn(conn: AsyncConnection) -> int:
    """Tell of sessions whose token is about to expire while they wait."""
    rows = (await conn.execute(_TOKEN_EXPIRING)).all()
    for row in rows:
        locked = await lock_held_session(conn, row.id)
        expires_at = {"expires_at": format_timestamp(row.at)}
        await events.append(conn, row.id, "worker_token.expiring", epoch=locked.epoch, data=expires_at)
    return len(rows)


async def _stop(conn: AsyncConnection, found: TextClause, parameters: dict[str, Any], stop: Stop) -> int:
    """Stop the sessions that are found; a session whose row names an instant stops at it."""
    rows = (await conn.execute(found, parameters)).all()
    for row in rows:
        await stop_session(conn, await lock_held_session(conn, row.id), replace(stop, at=row.at))
    return len(rows)


async def _give_up_finalizing(conn: AsyncConnection, parameters: dict[str, Any]) -> int:
    rows = (await conn.execute(_FINALIZE_DEADLINE, parameters)).all()
    for row in rows:
        await fail_recording(conn, await lock_held_session(conn, row.id), "storage.write_failed")
    return len(rows)


async def _defer_again(conn: AsyncConnection, parameters: dict[str, Any]) -> int:
    ids: list[UUID] = [row.id for row in await conn.execute(_UNFINALIZED, parameters)]
    for session_id in ids:
        await defer_finalize(conn, session_id)
    if ids:
        await conn.execute(_ATTEMPTED, {"ids": ids})
    return len(ids)
