"""The sessions that a process may claim: queued ones, and those whose worker was lost or gave them back."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.lifecycle.lifecycle import Event, sources
from store.database.channels import CLAIM_CHANNEL, notify
from store.runs.claimer import Claimer
from store.runs.look import Look

SHORT_RUN_MS = 30_000  # a run lost with less proven than this counts towards a crash loop
LOST_RUNS_BEFORE_ALONE = 3
LOST_ALONE_BEFORE_FAILED = 2
QUEUED_AT_ONCE = 200  # the oldest; far more than one process takes, so that several find enough at the same time

_CLAIMABLE = ", ".join(f"'{status}'" for status in sorted(sources(Event.CLAIM)))

# The run before counts as lost unless it was handed over. A run that was handed over or proved enough breaks the row.
_LOST = "(r.epoch IS NOT NULL AND (r.lost OR r.released_at IS NULL))"
# A pause bills nothing, but its beats prove that the run lives.
_PROVEN_MS = "greatest(r.billable_ms, extract(epoch FROM r.beat_at - r.joined_at) * 1000)"
_LOST_SHORT = f"({_LOST} AND {_PROVEN_MS} < {SHORT_RUN_MS})"
_LOST_RUNS = f"(CASE WHEN {_LOST_SHORT} THEN s.lost_runs + 1 ELSE 0 END)"
_LOST_ALONE = f"(CASE WHEN {_LOST_SHORT} THEN s.lost_alone + r.alone::int ELSE 0 END)"

# Hardly one of the thousands of sessions that run is claimable. Indexes find the queued ones and those that were
# released lately and are not sealed; only a thorough look, which reads all that run, finds the others.
_EASY = f"""
    AND s.id = ANY(ARRAY(
        (SELECT id FROM sessions WHERE kind = 'voice' AND status = 'queued' ORDER BY id LIMIT {QUEUED_AT_ONCE})
        UNION ALL (SELECT session_id FROM runs WHERE released_at > statement_timestamp() - interval '1 hour'
                   AND sealed_at IS NULL)))
    """


# One flat SELECT, so that PostgreSQL checks its conditions again on a row that another claimer has just changed.
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


_CANDIDATES = {Look.THOROUGH: _candidates(""), Look.QUICK: _candidates(_EASY)}
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


async def find_candidates(conn: AsyncConnection, claimer: Claimer, look: Look) -> Sequence[Row[Any]]:
    """Lock up to `claimer.free` sessions: those to be failed first, then dangerous ones, lost ones, queued ones.

    Returns:
        Rows of id, status, lost (the run before was), lost_runs and lost_alone (as they will be after the claim).
    """
    parameters = {
        "known": list(claimer.known),
        "free": claimer.free,
        "empty": claimer.empty,
        "may_judge_stale": claimer.may_judge_stale,
        "stalled_seconds": claimer.stalled_seconds,
    }
    return (await conn.execute(_CANDIDATES[look], parameters)).all()


async def count_active(conn: AsyncConnection) -> int:
    """How many sessions are queued or have a run."""
    return int((await conn.execute(_ACTIVE)).scalar_one())


async def leave_stale_to_others(conn: AsyncConnection, claimer: Claimer) -> None:
    """Release the stale runs that this process has no places for: from then on quick looks find them too."""
    stale = {"known": list(claimer.known), "stalled_seconds": claimer.stalled_seconds}
    if (await conn.execute(_RELEASE_STALE, stale)).rowcount:
        await notify(conn, CLAIM_CHANNEL)
