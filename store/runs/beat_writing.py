"""Beats: one statement for all sessions of a process. It proves and bills their time, and returns their state.

It touches `runs` only; sessions' rows are read, never locked. There is no NOTIFY in it: that takes a lock at commit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.lifecycle.lifecycle import Status
from sessions.lifecycle.stop import Stop
from store.lifecycle.pauses import PAUSES_OF, Pause, parse_pauses


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker reports of one session.

    Attributes:
        joined: the room is connected and the spool is open: the time since the last beat may be billed.
        frames: 10 ms frames received by this run so far, over all recorded tracks.
        audio_ms: milliseconds of audio received by this run so far.
        peak_dbfs: the present level; None when silent.
        first_frame_at: on PostgreSQL's clock.
        lost: the room was lost since this run joined it: the time before the next joined beat is not billed. A beat
            that is neither joined nor lost changes nothing of that, as it may come after the run's join.
    """

    session_id: UUID
    epoch: int
    joined: bool
    frames: int
    audio_ms: int
    peak_dbfs: float | None
    first_frame_at: datetime | None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class RunState:
    """What the database knows of one session, for the worker to follow. `stop` is set once the session is settled."""

    epoch: int
    status: Status
    started_at: datetime | None
    running_since: datetime | None
    paused_at: datetime | None
    max_duration_seconds: int
    stop: Stop | None
    pauses: tuple[Pause, ...] = ()

    @property
    def ending_at(self) -> datetime | None:
        """Nothing is recorded from here on; None for a session that goes on, or never ran."""
        return None if self.stop is None else self.stop.at


@dataclass(frozen=True, slots=True)
class BeatAnswer:
    """PostgreSQL's time of the statement, and the sessions that are still this process's.

    A session that is missing was replaced: another run has it.
    """

    now: datetime
    runs: dict[UUID, RunState]


# The statement's own instant: a claim that commits after its snapshot carries a later stamp, so the times of a run and
# of its successor never overlap.
_NOW = "statement_timestamp()"
_BILLING = (
    "b.joined AND r.billed_at IS NOT NULL AND r.sealed_at IS NULL AND s.status IN ('running', 'paused', 'ending')"
)
_SINCE = "greatest(r.billed_at, s.running_since)"
_UNTIL = f"least({_NOW}, s.paused_at, s.ending_at, s.started_at + make_interval(secs => s.max_duration_seconds))"
_SPAN_MS = f"floor(extract(epoch FROM {_UNTIL} - {_SINCE}) * 1000)"
_PROVEN_MS = f"greatest(0, least({_SPAN_MS}, floor(CAST(:stalled_seconds AS numeric) * 1000)))::bigint"
# Whole milliseconds are billed, and the instant moves by whole milliseconds: remainders add up instead of getting lost.
_BILLED_AT = (
    f"CASE WHEN {_UNTIL} <= {_SINCE} THEN r.billed_at"
    f" WHEN {_SPAN_MS} > CAST(:stalled_seconds AS numeric) * 1000 THEN {_UNTIL}"
    f" ELSE {_SINCE} + {_PROVEN_MS} * interval '1 millisecond' END"
)
_BEAT = text(
    f"""
    WITH beat AS (
        UPDATE runs r SET
            beat_at = greatest(r.beat_at, {_NOW}),
            billable_ms = r.billable_ms + CASE WHEN {_BILLING} THEN {_PROVEN_MS} ELSE 0 END,
            billed_at = CASE WHEN b.lost THEN NULL WHEN {_BILLING} THEN {_BILLED_AT}
                             WHEN b.joined AND r.joined_at IS NOT NULL AND r.billed_at IS NULL
                                  THEN least({_NOW}, s.paused_at) ELSE r.billed_at END,
            frames = CASE WHEN r.sealed_at IS NULL THEN greatest(r.frames, b.frames) ELSE r.frames END,
            audio_ms = CASE WHEN r.sealed_at IS NULL THEN greatest(r.audio_ms, b.audio_ms) ELSE r.audio_ms END,
            peak_dbfs = b.peak_dbfs,
            first_frame_at = coalesce(r.first_frame_at, b.first_frame_at)
        FROM unnest(CAST(:ids AS uuid[]), CAST(:epochs AS int[]), CAST(:joined AS boolean[]), CAST(:frames AS bigint[]),
                    CAST(:audio_ms AS bigint[]), CAST(:peaks AS float8[]), CAST(:first_frames AS timestamptz[]),
                    CAST(:lost AS boolean[]))
             AS b (session_id, epoch, joined, frames, audio_ms, peak_dbfs, first_frame_at, lost)
        JOIN sessions s ON s.id = b.session_id AND s.epoch = b.epoch
        WHERE r.session_id = b.session_id AND r.epoch = b.epoch AND r.owner = :owner
        RETURNING r.session_id, s.epoch, s.status, s.started_at, s.running_since, s.paused_at, s.ending_at,
                  s.outcome, s.end_reason, s.max_duration_seconds
    )
    SELECT {_NOW} AS now, beat.*, {PAUSES_OF.format(table="beat")} AS pauses
    FROM (VALUES (1)) AS always LEFT JOIN beat ON true
    """
)


async def write_beats(conn: AsyncConnection, owner: UUID, beats: Sequence[Beat], stalled_seconds: float) -> BeatAnswer:
    """Write the beats of all sessions of a process in one statement.

    For the time that a run was joined this adds `least(now, paused_at, ending_at, the session's longest duration) −
    greatest(billed until, running since)`, clamped to 0…`stalled_seconds`; the first one that says `joined` after one
    that said `lost` bills nothing yet. The longest duration is in this statement because the
    sweeper, which ends the session for it, comes later.
    """
    ordered = sorted(beats, key=lambda beat: beat.session_id)
    rows = (
        await conn.execute(
            _BEAT,
            {
                "owner": owner,
                "stalled_seconds": stalled_seconds,
                "ids": [beat.session_id for beat in ordered],
                "epochs": [beat.epoch for beat in ordered],
                "joined": [beat.joined for beat in ordered],
                "frames": [beat.frames for beat in ordered],
                "audio_ms": [beat.audio_ms for beat in ordered],
                "peaks": [_finite(beat.peak_dbfs) for beat in ordered],
                "first_frames": [beat.first_frame_at for beat in ordered],
                "lost": [beat.lost for beat in ordered],
            },
        )
    ).all()
    return BeatAnswer(
        now=rows[0].now,
        runs={
            row.session_id: RunState(
                epoch=row.epoch,
                status=Status(row.status),
                started_at=row.started_at,
                running_since=row.running_since,
                paused_at=row.paused_at,
                max_duration_seconds=row.max_duration_seconds,
                stop=None if row.outcome is None else Stop(row.outcome, row.end_reason, at=row.ending_at),
                pauses=parse_pauses(row.pauses),
            )
            for row in rows
            if row.session_id is not None
        },
    )


def _finite(level: float | None) -> float | None:
    return level if level is not None and math.isfinite(level) else None
