"""The sessions that a process may claim: queued ones, and those whose worker was lost or gave them back.

Suspects are for processes that were started for them, everybody else for all others (`sessions.lifecycle.blame`).
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sessions.lifecycle.blame import BLAMED_ALONE_BEFORE_FAILED, BLAMED_BEFORE_QUARANTINE, HEALTHY_MS, PARDONS
from sessions.lifecycle.lifecycle import Event, sources
from store.database.notify.channels import CLAIM_CHANNEL, notify
from store.runs.claimer import Claimer
from store.runs.fair_queue import find_line
from store.runs.look import Look

JUDGE_AFTER_SECONDS = 2

CLAIMABLE = ", ".join(f"'{status}'" for status in sorted(sources(Event.CLAIM)))

# The run before counts as lost unless it was handed over.
_LOST = "(r.epoch IS NOT NULL AND (r.lost OR r.released_at IS NULL))"
# A pause bills nothing, but its beats prove that the run lives.
_HEALTHY = f"greatest(h.billable_ms, extract(epoch FROM h.beat_at - h.joined_at) * 1000) >= {HEALTHY_MS}"


def _blamed(only: str) -> str:
    """For how many lost runs the session `s` is blamed (`sessions.lifecycle.blame`); `only` says which count."""
    return f"""(
        SELECT count(*) - least(count(*) FILTER (WHERE p.pardoned), {PARDONS}) FROM runs p
        WHERE p.session_id = s.id AND (p.lost OR p.released_at IS NULL) AND {only}
          AND p.epoch > (SELECT coalesce(max(h.epoch), 0) FROM runs h WHERE h.session_id = s.id AND {_HEALTHY}))"""


_BLAMED = _blamed("true")
_BLAMED_ALONE = _blamed("p.alone")
_SUSPECT = f"{_BLAMED} >= {BLAMED_BEFORE_QUARANTINE}"
_HOPELESS = f"{_BLAMED_ALONE} >= {BLAMED_ALONE_BEFORE_FAILED}"
# Whether other processes died together with its own is known a second later.
_JUDGED = f"(r.released_at IS NULL OR r.released_at < statement_timestamp() - interval '{JUDGE_AFTER_SECONDS} seconds')"

# Hardly one of the thousands of sessions that run is claimable. Indexes find the queued ones whose turn it is, and
# those that were released lately and are not sealed; only a thorough look, which reads all that run, finds the others.
_EASY = """
    AND s.id = ANY(ARRAY(
        SELECT unnest(CAST(:line AS uuid[]))
        UNION ALL (SELECT session_id FROM runs WHERE released_at > statement_timestamp() - interval '1 hour'
                   AND sealed_at IS NULL)))
    """


# One flat SELECT, so that PostgreSQL checks its conditions again on a row that another claimer has just changed.
def _candidates(where: str) -> TextClause:
    return text(
        f"""
        SELECT s.id, s.organization_id, s.status, {_LOST} AS lost, {_BLAMED} AS blamed, {_BLAMED_ALONE} AS blamed_alone
        FROM sessions s LEFT JOIN runs r ON r.session_id = s.id AND r.epoch = s.epoch
        LEFT JOIN unnest(CAST(:line AS uuid[])) WITH ORDINALITY AS line (id, turn) ON line.id = s.id
        WHERE s.kind = 'voice' AND s.status IN ({CLAIMABLE}) AND s.id <> ALL(CAST(:known AS uuid[]))
          AND (s.status = 'queued' AND line.id IS NOT NULL OR r.released_at IS NOT NULL
               OR (:may_judge_stale AND r.beat_at < statement_timestamp() - make_interval(secs => :stalled_seconds)))
          {where}
          AND CASE WHEN {_HOPELESS} THEN {_JUDGED} ELSE CAST(:quarantine AS boolean) = ({_SUSPECT}) END
        ORDER BY {_HOPELESS} DESC, {_BLAMED} DESC, s.status = 'queued', line.turn, s.id
        LIMIT :free FOR NO KEY UPDATE OF s SKIP LOCKED
        """
    )


_CANDIDATES = {Look.THOROUGH: _candidates(""), Look.QUICK: _candidates(_EASY)}
_RELEASE_STALE = text(
    f"""
    UPDATE runs SET released_at = statement_timestamp(), lost = true
    WHERE (session_id, epoch) IN (
        SELECT r.session_id, r.epoch FROM sessions s JOIN runs r ON r.session_id = s.id AND r.epoch = s.epoch
        WHERE s.kind = 'voice' AND s.status IN ({CLAIMABLE}) AND s.id <> ALL(CAST(:known AS uuid[]))
          AND r.released_at IS NULL
          AND r.beat_at < statement_timestamp() - make_interval(secs => :stalled_seconds)
        FOR UPDATE OF r SKIP LOCKED)
    """
)
_WAITING = text(
    f"""
    SELECT s.id, s.epoch, {_BLAMED} AS blamed, {_BLAMED_ALONE} AS blamed_alone
    FROM sessions s JOIN runs r ON r.session_id = s.id AND r.epoch = s.epoch
    WHERE s.kind = 'voice' AND s.status IN ({CLAIMABLE})
      AND r.released_at > statement_timestamp() - interval '1 hour'
      AND r.released_at < statement_timestamp() - make_interval(secs => :waited_seconds)
      AND {_SUSPECT} AND NOT {_HOPELESS}
    ORDER BY s.id
    """
)
_ACTIVE = text(f"SELECT count(*) FROM sessions WHERE kind = 'voice' AND status IN ({CLAIMABLE})")


async def find_candidates(conn: AsyncConnection, claimer: Claimer, look: Look) -> Sequence[Row[Any]]:
    """Lock up to `claimer.free` sessions: those to be failed first, then lost ones, queued ones in their turn.

    Returns:
        Rows of id, organization_id, status, lost (the run before was), and what `sessions.lifecycle.blame.place` needs.
    """
    parameters = {
        "known": list(claimer.known),
        "free": claimer.free,
        "quarantine": claimer.quarantine,
        "may_judge_stale": claimer.may_judge_stale,
        "stalled_seconds": claimer.stalled_seconds,
        "line": list(await find_line(conn, claimer)),
    }
    return (await conn.execute(_CANDIDATES[look], parameters)).all()


async def find_suspects(conn: AsyncConnection, waited_seconds: float) -> Sequence[Row[Any]]:
    """Suspects that were released so long ago and have no process; rows of id, epoch, blamed and blamed_alone."""
    return (await conn.execute(_WAITING, {"waited_seconds": waited_seconds})).all()


async def count_active(conn: AsyncConnection) -> int:
    """How many sessions are queued or have a run."""
    return int((await conn.execute(_ACTIVE)).scalar_one())


async def leave_stale_to_others(conn: AsyncConnection, claimer: Claimer) -> None:
    """Release the stale runs that this process does not take: from then on quick looks find them too."""
    stale = {"known": list(claimer.known), "stalled_seconds": claimer.stalled_seconds}
    if (await conn.execute(_RELEASE_STALE, stale)).rowcount:
        await notify(conn, CLAIM_CHANNEL)
